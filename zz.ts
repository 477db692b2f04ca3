import { startManaged } from "./tests/support/managed.js";
import { writeService } from "./bench/services.js";
import { answering } from "./tests/support/sandbox.js";
const m = await startManaged({ "other/index.ts": answering("other","x") });
writeService(m.sandbox.servicesDir,"five",1,5);
m.sandbox.services({"five/five.test.ts": `import { expect, test } from "bun:test";\nimport five from "./index.js";\ntest("name", () => expect(five.name).toBe("five"));\n`});
await m.api("POST","/services/reload");
let step="-"; m.reef.ctx.events.on("services:deploy",(x:any)=>{step=x.step+" "+x.status; });
const lags: Record<string, number[]> = {};
let last=performance.now(), cpu=process.cpuUsage();
setInterval(()=>{const n=performance.now(); const l=n-last-1; const c=process.cpuUsage(cpu); cpu=process.cpuUsage(); if(l>1) (lags[step]??=[]).push(+l.toFixed(1), -(c.user+c.system)/1000|0); last=n;},1);
for (let i=2;i<22;i++){ writeService(m.sandbox.servicesDir,"five",i,5); const {data}=await m.deploy("five"); if(!data.deployed) console.log(data); step="-"; await Bun.sleep(20);}
console.log(lags);
await m.end(); process.exit(0);
