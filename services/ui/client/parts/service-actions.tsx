/** @jsxImportSource preact */
/** What can be done with a service, and how its deploy goes. */

import { servicesStrings as w } from "../../strings/services.js";
import { strings as t } from "../../strings.js";
import { deploy, disable, enable, reload, rollback, unload } from "../actions.js";
import { deployOf, isDeploying, type Service } from "../state/services.js";
import { Act, CopyCurl } from "./bits.js";
import { DeploySteps } from "./deploy-steps.js";

export function ServiceActions({ service: { name, state } }: { service: Service }) {
  if (name === "services") return <p class="dim">{w.isManager}</p>;
  const at = encodeURIComponent(name);
  const shown = deployOf(name);
  return (
    <>
      <div class="row actions">
        <Act
          text={w.deploy}
          class="primary"
          disabled={isDeploying(name)}
          onClick={() => deploy(name)}
          method="POST"
          path="/services/deploy"
          body={{ name }}
        />
        <Act text={w.reload} onClick={() => reload(name)} method="POST" path={`/services/reload/${at}`} />
        <Act
          text={t.actions.rollback}
          onClick={() => rollback(name)}
          method="POST"
          path={`/services/rollback/${at}`}
          body={{}}
        />
        <a class="button" href={`/ui/api/services/export/${at}`} download={`${name}.tar.gz`}>
          {w.exportIt}
        </a>
        <CopyCurl path={`/services/export/${at}`} file={`${name}.tar.gz`} />
        {state === "disabled" ? (
          <Act text={w.enable} onClick={() => enable(name)} method="POST" path={`/services/enable/${at}`} />
        ) : (
          <Act
            text={w.disable}
            class="danger"
            onClick={() => disable(name)}
            method="POST"
            path={`/services/disable/${at}`}
            body={{}}
          />
        )}
        {state === "loaded" && (
          <Act
            text={w.unload}
            class="danger"
            onClick={() => unload(name)}
            method="DELETE"
            path={`/services/${at}`}
          />
        )}
      </div>
      <p class="dim">{w.deployHint}</p>
      {shown && <DeploySteps name={name} deploy={shown} />}
    </>
  );
}
