import assert from "node:assert/strict"
import { test } from "node:test"
import { Script } from "node:vm"
import { gzipSync } from "node:zlib"
import { browserScript } from "./browser-script.ts"

const { page, worker } = await browserScript()

for (const { name, code } of [page, worker]) {
  test(`${name.split(".")[0]} is one script without types, comments, imports and indentation`, () => {
    assert.match(name, /^(?:page|worker)\.[\w-]{12}\.js$/)
    assert.doesNotMatch(code, /^(?:\s|\/\/|\/\*|interface |type |import |export )| {2}/m)
    // as strictly as a module: in a block no name may be declared twice
    assert.ok(new Script(`"use strict"; {${code.replaceAll("import.meta.url", '""')}}`))
  })
}

test("the page's script begins by itself, and names the worker's", () => {
  assert.equal(page.code.split("\n").at(-2), 'if ("document" in globalThis) start()')
  assert.deepEqual(page.code.match(/"\.\/[^"]+"/g), [`"./${worker.name}"`])
  assert.equal(worker.code.split("\n").at(-2), 'if ("onconnect" in globalThis) serveTabs()')
})

test("holds all that it uses of other modules, and nothing else of them", () => {
  assert.match(page.code, /^function span\(/m)
  assert.match(page.code, /^const matchesWords = /m)
  assert.doesNotMatch(page.code + worker.code, /spanInWords|Intl\.|searchable/)
  assert.doesNotMatch(worker.code, /document\.|byId/)
})

test("stays small", () => {
  assert.ok(gzipSync(page.code).length < 8_200, `${gzipSync(page.code).length} bytes`)
  assert.ok(gzipSync(worker.code).length < 1_500, `${gzipSync(worker.code).length} bytes`)
})
