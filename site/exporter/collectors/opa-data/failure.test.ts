import assert from "node:assert/strict"
import { test } from "node:test"
import { connectionFailure } from "./failure.ts"

const table: readonly (readonly [code: string, message: string, expected: string])[] = [
  [
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca",
    "no trusted TLS connection: unable to verify the first certificate. Name the certificates that vouch for it by --opa-ca-file",
  ],
  [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "self-signed certificate",
    "no trusted TLS connection: self-signed certificate. Name the certificates that vouch for it by --opa-ca-file",
  ],
  [
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "Hostname/IP does not match certificate's altnames",
    "no trusted TLS connection: Hostname/IP does not match certificate's altnames. Give the name in it as --opa-server-name",
  ],
  ["CERT_HAS_EXPIRED", "certificate has expired", "no trusted TLS connection: certificate has expired"],
]
for (const [code, message, expected] of table) {
  test(`${code} is told with what to do about it`, () => {
    const failure = connectionFailure(Object.assign(new Error(message), { code }))
    assert.deepEqual([failure.reason, failure.message], ["tls", expected])
  })
}
