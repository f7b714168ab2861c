import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { globSync } from "node:fs"
import { test } from "node:test"
import { temporaryFolder } from "./folder.ts"
import { freePorts } from "./free-port.ts"

test("free ports are different, and below those that systems give to others meanwhile", async () => {
  const ports = await freePorts(50)
  assert.equal(new Set(ports).size, 50)
  assert.ok(Math.max(...ports) < 32_768, `${Math.max(...ports)}`)
})

test("a port is nobody else's while the process runs that was given it, and no longer", (t) => {
  const { path } = temporaryFolder(t)
  // hands out the same port whenever it can
  const ask = (end: string): string =>
    `import crypto from "node:crypto"; import { syncBuiltinESMExports } from "node:module";
     let next = 20_123; crypto.randomInt = () => next++; syncBuiltinESMExports();
     const { freePort } = await import(${JSON.stringify(import.meta.resolve("./free-port.ts"))});
     console.log(await freePort()); ${end}`
  const given = (script: string): readonly number[] => {
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
      env: { ...process.env, TMPDIR: path },
    })
    return output.trim().split("\n").map(Number)
  }
  const inner = `import { execFileSync } from "node:child_process";
    console.log(execFileSync(process.execPath, ["--input-type=module", "--eval", ${JSON.stringify(ask(""))}]).toString().trim())`
  const [first = 0, second = 0] = given(ask(inner))
  assert.ok(first > 0 && second > 0 && first !== second, `${first}, then ${second}`)
  const claims = globSync("*/*", { cwd: path })
  assert.deepEqual(claims, [])
})
