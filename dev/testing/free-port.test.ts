import assert from "node:assert/strict"
import { test } from "node:test"
import { freePorts } from "./free-port.ts"

test("free ports are different, and below those that systems give to others meanwhile", async () => {
  const ports = await freePorts(50)
  assert.equal(new Set(ports).size, 50)
  assert.ok(Math.max(...ports) < 32_768, `${Math.max(...ports)}`)
})
