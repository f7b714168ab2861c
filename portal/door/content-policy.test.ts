import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { pagePolicy } from "./content-policy.ts"

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
const scriptsOf = (html: string): string => /script-src ([^;]*)/.exec(pagePolicy(html, { inline: "head" }))?.[1] ?? ""

test("the policy of a page without scripts of its own, whole", () => {
  assert.equal(
    pagePolicy("<html><head></head><body></body></html>", { inline: "head" }),
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'",
  )
})

test("a script in the head runs, whatever its attributes and lines", () => {
  const script = "\n  const GLOBAL_CONSOLES_LINK='';\n"
  assert.equal(
    scriptsOf(`<!doctype html><HEAD><script>${script}</script><Script type="module">a</sCript ></head>`),
    `'self' ${hash(script)} ${hash("a")}`,
  )
})

test("a script of a file has no hash", () => {
  assert.equal(scriptsOf('<head><script defer src="./a.js"></script></head>'), "'self'")
})

test("a script in the body does not run: a site may have planted it", () => {
  for (const html of [
    "<head></head><body><script>evil()</script></body>",
    "<head><body><script>evil()</script></body>",
    "<script>evil()</script>",
    "<BODY></head><script>evil()</script></BODY>",
  ])
    assert.equal(scriptsOf(html), "'self'", html)
})

test("where a server needs them, scripts of the body run, and other sources are allowed", () => {
  assert.equal(
    pagePolicy("<head></head><body><script nonce=''>a</script></body>", {
      inline: "all",
      script: "'unsafe-eval'",
      image: "blob:",
      worker: "blob:",
    }),
    `default-src 'none'; script-src 'self' 'unsafe-eval' ${hash("a")}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'`,
  )
})
