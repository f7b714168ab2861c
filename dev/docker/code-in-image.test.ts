import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { productionModules } from "../checks/modules.ts"

const ROOT = join(import.meta.dirname, "..", "..")

test("the image gets every folder of the portal that has code", () => {
  const modules = [...productionModules(ROOT).keys()].filter((file) => /^portal\/[^/]+\//.test(file))
  const folders = new Set(modules.map((file) => file.split("/", 2).join("/")))
  const sent = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n")
  assert.deepEqual(
    [...folders].filter((folder) => !sent.includes(`!${folder}`)),
    [],
  )
})
