import assert from "node:assert/strict"
import test from "node:test"
import { type FailingSite, sharedCause } from "./shared-cause.ts"

const at = (time: string): Date => new Date(`2026-11-30T${time}:00Z`)
const now = at("14:07")
const sites = (count: number, cause: string | null, since = at("14:01")): readonly FailingSite[] =>
  Array.from({ length: count }, () => ({ cause, since }))

test("many sites with a cause that points at the portal are reported as one, with what to do there", () => {
  assert.deepEqual(
    sharedCause([...sites(38, "resolver_failed"), ...sites(2, "refused"), ...sites(60, null)], 100, now),
    {
      cause: "resolver_failed",
      count: 38,
      since: at("14:01"),
      message:
        "38 sites fail in the same way since 14:01 UTC: the name server of the portal gives no usable response. Probably it is here, at the portal.",
      todo: "Check the name server in /etc/resolv.conf of the portal's machine or container.",
    },
  )
})

test("it takes at least three sites and a fifth of all", () => {
  assert.equal(sharedCause(sites(2, "no_route"), 2, now), undefined)
  assert.equal(sharedCause(sites(3, "no_route"), 16, now), undefined)
  assert.equal(sharedCause(sites(3, "no_route"), 15, now)?.count, 3)
  assert.equal(sharedCause([], 0, now), undefined)
})

test("what is each site's own fault is never the portal's, however many share it", () => {
  assert.equal(sharedCause(sites(100, "tls_expired"), 100, now), undefined)
  assert.equal(sharedCause(sites(100, "constructor"), 100, now), undefined)
  assert.equal(sharedCause(sites(100, null), 100, now), undefined)
})

test("the cause that most sites share is reported", () => {
  const failing = [...sites(4, "fds"), ...sites(5, "name_not_found"), ...sites(9, "refused")]
  assert.equal(sharedCause(failing, 18, now)?.cause, "name_not_found")
})

test("a site that was broken long before does not date the others", () => {
  const old = sites(1, "no_route", new Date("2026-11-01T00:00:00Z"))
  assert.deepEqual(sharedCause([...old, ...sites(4, "no_route")], 10, now)?.since, at("14:01"))
})

test("what began long ago has a date", () => {
  const since = new Date("2026-11-27T09:30:00Z")
  assert.match(sharedCause(sites(3, "fds", since), 3, now)?.message ?? "", /since 27 Nov 2026, 09:30 UTC: /)
})
