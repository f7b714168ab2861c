import assert from "node:assert/strict"
import test from "node:test"
import { cut, markup } from "./html.ts"

test("escapes every value, between tags and within attributes", () => {
  const value = `<script>alert("1")</script> & 'x'`
  assert.equal(
    markup`<a title="${value}">${value}</a>`.text,
    '<a title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;">' +
      "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;</a>",
  )
})

test("leaves HTML as it is, in lists too, and shows nothing for what is not there", () => {
  const items = ["a", "<b>"].map((item) => markup`<li>${item}</li>`)
  assert.equal(markup`<ul>${items}</ul>${undefined}${null}${false}${0}`.text, "<ul><li>a</li><li>&lt;b&gt;</li></ul>0")
})

test("shows what cannot be seen, or turns the text around it, as code points (CVE-2021-42574)", () => {
  const unseen = "\0 \u001b[31m \u0085 \u200b \u202e \u2066 \u2069 \u061c \ufeff \u2028 \ud800"
  assert.equal(
    markup`${unseen}`.text,
    "[U+0000] [U+001B][31m [U+0085] [U+200B] [U+202E] [U+2066] [U+2069] [U+061C] [U+FEFF] [U+2028] \ufffd",
  )
  assert.equal(markup`${"tab\tline\nГёттинген 東京 🙂"}`.text, "tab\tline\nГёттинген 東京 🙂")
})

test("refuses a value that is an attribute without quotes", () => {
  assert.throws(() => markup`<a href=${"x"}>`, /values of attributes must be quoted/)
})

test("cuts what is too long, and no character in two", () => {
  assert.deepEqual([cut("abc", 3), cut("abcd", 3), cut("ab🙂d", 4)], ["abc", "ab…", "ab…"])
})
