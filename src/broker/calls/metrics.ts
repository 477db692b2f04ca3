/** Counters and latency histograms of methods. */

const BUCKETS = 128;
const PER_OCTAVE = 4;

/** The counters of one method. Latencies are in milliseconds. */
export interface MethodStats {
  calls: number;
  /** Calls that failed, by error code. */
  errors: Record<string, number>;
  latency: { mean: number; p50: number; p95: number; p99: number; max: number };
}

/** Counts calls, failures and latencies of a method. Percentiles have a relative error of about a fifth. */
export class MethodMetrics {
  #calls = 0;
  #errors = new Map<string, number>();
  #sum = 0;
  #max = 0;
  #histogram = new Uint32Array(BUCKETS);

  /** Records a call that took `milliseconds`, and the code it failed with, if any. */
  record(milliseconds: number, failure?: string): void {
    this.#calls++;
    this.#sum += milliseconds;
    if (milliseconds > this.#max) this.#max = milliseconds;
    const bucket = bucketOf(milliseconds * 1_000);
    this.#histogram[bucket] = (this.#histogram[bucket] ?? 0) + 1;
    if (failure !== undefined) this.#errors.set(failure, (this.#errors.get(failure) ?? 0) + 1);
  }

  /** The current counters. */
  snapshot(): MethodStats {
    return {
      calls: this.#calls,
      errors: Object.fromEntries(this.#errors),
      latency: {
        mean: this.#calls === 0 ? 0 : this.#sum / this.#calls,
        p50: this.#percentile(0.5),
        p95: this.#percentile(0.95),
        p99: this.#percentile(0.99),
        max: this.#max,
      },
    };
  }

  #percentile(share: number): number {
    const wanted = Math.ceil(this.#calls * share);
    let seen = 0;
    for (const [bucket, count] of this.#histogram.entries()) {
      seen += count;
      if (seen >= wanted && seen > 0) return Math.min(upperEdge(bucket) / 1_000, this.#max);
    }
    return 0;
  }
}

/** Four buckets per octave, starting at one microsecond. */
function bucketOf(microseconds: number): number {
  const whole = microseconds < 1 ? 1 : microseconds > 0x7fffffff ? 0x7fffffff : microseconds | 0;
  const octave = 31 - Math.clz32(whole);
  const quarter = octave < 2 ? 0 : (whole >>> (octave - 2)) & 3;
  return octave * PER_OCTAVE + quarter;
}

function upperEdge(bucket: number): number {
  const octave = Math.floor(bucket / PER_OCTAVE);
  return 2 ** octave * (1 + ((bucket % PER_OCTAVE) + 1) / PER_OCTAVE);
}
