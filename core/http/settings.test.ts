import assert from "node:assert/strict"
import { test } from "node:test"
import { UsageError } from "#core/errors.ts"
import { requireApart, webSettings } from "./settings.ts"

const address = (host: string, port: number) => ({ host, port })
const loopback = (port: number) => address("127.0.0.1", port)

test("refuses the port of another address for administration, on the same interface or on all", () => {
  const refused = (host: string, admin: string): void => {
    assert.throws(() => requireApart([loopback(1), address(host, 9000)], address(admin, 9000)), {
      constructor: UsageError,
      message: "--admin.listen-address: has port 9000, as --web.listen-address has; give it one of its own",
    })
  }
  refused("127.0.0.1", "127.0.0.1")
  for (const all of ["", "0.0.0.0", "::"]) {
    refused(all, "127.0.0.1")
    refused("127.0.0.1", all)
  }
})

test("accepts the same port on two interfaces, and ports that the system chooses", () => {
  requireApart([address("127.0.0.2", 9000)], loopback(9000))
  requireApart([loopback(0)], loopback(0))
  requireApart([loopback(9000)], loopback(9001))
})

test("the help promises users where they are taken alone", () => {
  const helpOf = (users?: boolean): string => webSettings(":80", users).webConfigFile.help
  assert.match(helpOf(), /^Read TLS, client certificates and users from this file/)
  assert.match(helpOf(false), /^Read TLS and client certificates from this file/)
})
