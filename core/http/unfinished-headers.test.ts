import assert from "node:assert/strict"
import { Socket } from "node:net"
import { test, type TestContext } from "node:test"
import { boundUnfinishedHeaders } from "./unfinished-headers.ts"

/** Which of the connections that have read so many bytes are closed after the first look. */
function closedOf(t: TestContext, sizes: readonly number[], most: number): readonly number[] {
  t.mock.timers.enable({ apis: ["setInterval"] })
  const sockets = sizes.map((bytes) => [new Socket(), bytes] as const)
  const noted: Socket[] = []
  const bound = boundUnfinishedHeaders({ most, unfinished: () => sockets, tooMany: (socket) => noted.push(socket) })
  t.mock.timers.tick(250)
  bound.close()
  const closed = sockets.filter(([socket]) => socket.destroyed)
  assert.deepEqual(new Set(noted), new Set(closed.map(([socket]) => socket)))
  return closed.map(([, bytes]) => bytes)
}

test("closes the connections with the most, as few as must be", (t) => {
  assert.deepEqual(closedOf(t, [5000, 9000, 6000, 8000], 12_000), [9000, 8000])
})

test("leaves what fits, and does not count what any connection may have read", (t) => {
  assert.deepEqual(closedOf(t, [9000, 5000, 4096, 4096, 4096], 14_000), [])
})
