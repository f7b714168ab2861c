import assert from "node:assert/strict"
import { test } from "node:test"
import { isLocalToTheMachine } from "./addresses.ts"

test("knows the addresses that a name must not lead to, in every spelling", () => {
  const local = [
    "169.254.169.254",
    "169.254.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fd00:ec2::254",
    "fd00:0ec2:0:0:0:0:0:254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "no address",
  ]
  assert.deepEqual(
    local.filter((address) => !isLocalToTheMachine(address)),
    [],
  )
})

test("leaves networks of sites alone, also private ones and loopback", () => {
  const others = [
    "192.0.2.14",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "::1",
    "2001:db8::14",
    "fd00::1",
    "100.100.100.201",
  ]
  assert.deepEqual(others.filter(isLocalToTheMachine), [])
})
