/** @jsxImportSource preact */
import { partsOf } from "../../page-names.js";
import { strings as t } from "../../strings.js";
import type { CodeError } from "../page-code.js";
import { failure, pathOf, place, stay, tryAgain, underway } from "../router.js";
import { Loading } from "./bits.js";
import { nameOf } from "./page.js";

const pageOf = (address: string) => nameOf(partsOf(pathOf(address)));

/** Says that a page is on the way whose code is not there yet, or what to do when it cannot be had. */
export function Going() {
  const address = underway.value;
  if (failure.value) return <Stuck {...failure.value} />;
  if (address === undefined || address === place.value) return null;
  return <Loading key={address} text={t.going.loading(pageOf(address))} />;
}

function Stuck({ address, error: { why, message } }: { address: string; error: CodeError }) {
  const isShown = address !== place.value;
  const [what, loses] = {
    away: [t.going.away, t.going.stays],
    changed: [t.going.changed, t.going.loses],
    other: [t.going.other(message), t.going.loses],
  }[why];
  return (
    <div class="problem row" role="alert">
      <p>
        {t.going.failed(pageOf(address))}: {what} {isShown && loses}
      </p>
      {why !== "changed" && (
        <button type="button" onClick={tryAgain}>
          {t.common.retry}
        </button>
      )}
      {why !== "away" && (
        <a class="button" href={address} target="_self">
          {t.going.anew}
        </a>
      )}
      {isShown && (
        <button type="button" class="quiet" aria-label={t.common.dismiss} onClick={stay}>
          ✕
        </button>
      )}
    </div>
  );
}
