/** Reports about damaged files. */

/** A damaged file that was found and handled. */
export interface StorageReport {
  /**
   * - `corrupt`: the whole file was unreadable; it was set aside
   * - `torn-line`: the last line of a JSONL file was incomplete; it was cut off and set aside
   * - `corrupt-lines`: complete but unreadable lines of a JSONL file; skipped and left in place
   * - `missing`: a file that this process had read or written has been removed by somebody else
   */
  kind: "corrupt" | "torn-line" | "corrupt-lines" | "missing";
  /** The damaged file. */
  path: string;
  /** One line: what happened and where the data is now. */
  message: string;
  /** Where the damaged content was moved to. */
  setAside?: string;
  /** Byte offset of the (first) damaged line. */
  position?: number;
}

/** Receives reports. The default writes the message with `console.warn`. */
export type OnReport = (report: StorageReport) => void;

const warn: OnReport = (report) => console.warn(`storage: ${report.message}`);

/** Delivers a report. A receiver that throws must not stop the recovery that it is told about. */
export function sendReport(report: StorageReport, receiver: OnReport = warn): void {
  try {
    receiver(report);
  } catch (error) {
    warn(report);
    console.warn("storage: the receiver of this report failed:", error);
  }
}
