import assert from "node:assert/strict"
import { test } from "node:test"
import { RequestFailed } from "#core/http/client.ts"
import type { ConnectionFailure } from "#core/http/connection-failure.ts"
import { readFailure, type OpaFailureReason } from "./failure.ts"

const table: readonly (readonly [ConnectionFailure, OpaFailureReason, string])[] = [
  ["name_not_found", "dns", "problem"],
  ["refused", "refused", "problem"],
  ["cut", "connection", "problem"],
  ["tls_expired", "tls", "problem"],
  ["tls_unknown_ca", "tls", "problem. Give the certificate of its authority as --opa-ca-file"],
  ["tls_wrong_name", "tls", "problem. Give the name in it as --opa-server-name"],
  ["tls_to_plain", "tls", "problem. If it speaks plain HTTP, set --opa-scheme to http"],
  ["no_answer", "timeout", "problem"],
  ["too_many_bytes", "too_large", "problem"],
]
for (const [reason, expected, message] of table) {
  test(`${reason} has the label ${expected}, and a message with what to do about it`, () => {
    const failure = readFailure(new RequestFailed("GET http://a/b", reason, "problem"))
    assert.deepEqual([failure.reason, failure.message], [expected, message])
  })
}
