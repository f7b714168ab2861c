import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"

const root = join(import.meta.dirname, "../../..")
const EXAMPLE = "portal/tenancy/exposition/tenants.example.yaml"

function check(...args: readonly string[]) {
  const command = ["check", "tenants", EXAMPLE, ...args]
  const { status, stdout, stderr } = spawnSync(join(root, "bin/fedstack"), command, { cwd: root, encoding: "utf8" })
  return { status, stdout, stderr }
}

test("summarises who may read what of which tenants, and warns of who may read everything", async () => {
  const stdout = await readFile(join(import.meta.dirname, "clients/testdata/example.txt"), "utf8")
  assert.deepEqual(check(), { status: 0, stdout, stderr: "" })
})

test("prints what a client may read with the rule and its place", () => {
  assert.deepEqual(check("--as", "operations", "--match", "up"), {
    status: 0,
    stdout: `operations may read {__name__="up"}\n  by ${EXAMPLE}:23:13 tokens[1].match[0]: {__name__="up"}\n`,
    stderr: "",
  })
})

test("prints why a client may not read it, and ends with 1", () => {
  assert.deepEqual(check("--as", "teams", "--match", "up"), {
    status: 1,
    stdout: "",
    stderr: `${EXAMPLE}:30:5 jwt[0]: teams may not read {__name__="up"}: it does not restrict job
${EXAMPLE}:35:13 jwt[0].match[0]: does not contain it: it does not restrict job. Shared here: {job="node"}
`,
  })
})
