import assert from "node:assert/strict"
import { test } from "node:test"
import { limitVerifications } from "./verifications.ts"

function open() {
  let time = 0
  const begin = limitVerifications(() => time)
  const forge = (socket: { remoteAddress: string }, count: number): number =>
    Array.from({ length: count }, () => begin(socket)).filter((begun) => begun !== undefined).length
  return { begin, forge, move: (milliseconds: number): number => (time += milliseconds) }
}
const from = (remoteAddress: string) => ({ remoteAddress })
const ADDRESS = "192.0.2.1"

test("verifies so many forged signatures of one address, and few after that", () => {
  const { forge, move } = open()
  assert.equal(forge(from(ADDRESS), 1000), 100)
  move(1000)
  assert.equal(forge(from(ADDRESS), 1000), 20)
})

test("verifies so many of all addresses together", () => {
  const { forge, move } = open()
  const flood = (): number =>
    Array.from({ length: 1000 }, (_, index) => forge(from(`10.0.${index >> 8}.${index & 255}`), 1)).filter(Boolean)
      .length
  assert.equal(flood(), 400)
  move(1000)
  assert.equal(flood(), 100)
})

test("does not count valid ones", () => {
  const { begin } = open()
  for (let i = 0; i < 1000; i++) {
    const succeeded = begin(from(ADDRESS))
    assert.ok(succeeded !== undefined)
    succeeded()
  }
})

test("verifies a new token on a connection that sent a valid one, whatever else comes from its address", () => {
  const { begin, forge } = open()
  const rightful = from(ADDRESS)
  begin(rightful)?.()
  forge(from(ADDRESS), 1000)
  assert.equal(begin(from(ADDRESS)), undefined)
  assert.ok(begin(rightful) !== undefined)
})

test("verifies a new token from an address that sent a valid one, whatever comes from others", () => {
  const { begin, forge } = open()
  begin(from(ADDRESS))?.()
  for (let i = 0; i < 100; i++) forge(from(`10.0.0.${i}`), 100)
  assert.equal(begin(from("192.0.2.2")), undefined)
  assert.ok(begin(from(ADDRESS)) !== undefined)
})
