/** @jsxImportSource preact */
/** What can be done with a service, and how its deploy goes. */
import { strings as t } from "../../strings.js";
import { deploy, disable, enable, reload, rollback, unload } from "../actions.js";
import { deployOf, isDeploying, type Service } from "../state/services.js";
import { CopyCurl } from "./bits.js";
import { DeploySteps } from "./deploy-steps.js";

export function ServiceActions({ service: { name, state } }: { service: Service }) {
  if (name === "services") return <p class="dim">{t.services.isManager}</p>;
  const at = encodeURIComponent(name);
  const shown = deployOf(name);
  return (
    <>
      <div class="row actions">
        <button type="button" class="primary" disabled={isDeploying(name)} onClick={() => deploy(name)}>
          {t.services.deploy}
        </button>
        <CopyCurl method="POST" path="/services/deploy" body={{ name }} />
        <button type="button" onClick={() => reload(name)}>
          {t.services.reload}
        </button>
        <CopyCurl method="POST" path={`/services/reload/${at}`} />
        <button type="button" onClick={() => rollback(name)}>
          {t.services.rollback}
        </button>
        <CopyCurl method="POST" path={`/services/rollback/${at}`} body={{}} />
        <a class="button" href={`/ui/api/services/export/${at}`} download={`${name}.tar.gz`}>
          {t.services.exportIt}
        </a>
        <CopyCurl path={`/services/export/${at}`} file={`${name}.tar.gz`} />
        {state === "disabled" ? (
          <>
            <button type="button" onClick={() => enable(name)}>
              {t.services.enable}
            </button>
            <CopyCurl method="POST" path={`/services/enable/${at}`} />
          </>
        ) : (
          <>
            <button type="button" class="danger" onClick={() => disable(name)}>
              {t.services.disable}
            </button>
            <CopyCurl method="POST" path={`/services/disable/${at}`} body={{}} />
          </>
        )}
        {state === "loaded" && (
          <>
            <button type="button" class="danger" onClick={() => unload(name)}>
              {t.services.unload}
            </button>
            <CopyCurl method="DELETE" path={`/services/${at}`} />
          </>
        )}
      </div>
      <p class="dim">{t.services.deployHint}</p>
      {shown && <DeploySteps name={name} deploy={shown} />}
    </>
  );
}
