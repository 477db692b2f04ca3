/** @jsxImportSource preact */
/** The versions of a service that are kept, each to be returned to. */

import { servicesStrings as w } from "../../strings/services.js";
import { strings as t } from "../../strings.js";
import { rollback } from "../actions.js";
import { short } from "../format.js";
import type { Resource } from "../state/resource.js";
import type { Kept } from "../state/versions.js";
import { Act, Ago, Loaded, Table } from "./bits.js";

export function KeptVersions({
  name,
  digest,
  from,
}: {
  name: string;
  digest?: string;
  from: Resource<Kept>;
}) {
  return (
    <Loaded from={from}>
      {({ versions }) =>
        versions.length === 0 ? (
          <p class="dim">{w.noVersions}</p>
        ) : (
          <Table label={w.versions} head={[w.digest, w.keptAt, t.common.actions]}>
            {versions.map((version) => (
              <tr key={version.digest}>
                <th scope="row" title={version.digest}>
                  <code>{short(version.digest)}</code>
                </th>
                <td>
                  <Ago time={version.keptAt} />
                </td>
                <td>
                  {version.digest === digest ? (
                    <span class="dim">{w.current}</span>
                  ) : (
                    <div class="row tied">
                      <Act
                        text={w.restore}
                        onClick={() => rollback(name, version.digest)}
                        method="POST"
                        path={`/services/rollback/${encodeURIComponent(name)}`}
                        body={{ digest: version.digest }}
                        of={short(version.digest)}
                      />
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}
