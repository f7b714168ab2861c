import assert from "node:assert/strict"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import type { ListedSite } from "./listed.ts"
import { listedSite } from "./testing.ts"
import { NO_SCRAPES } from "./record.ts"
import { atShard, newlyListed, track } from "./tracked.ts"
import { watch, watchTwo } from "./watched.testing.ts"

test("waits for the first scrape of a site whose url is another, whatever is known of the one before", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  const elsewhere = (name: string): ListedSite => listedSite(name, { url: "https://new.example.org" })
  watched.list(elsewhere("a"), elsewhere("b"))
  watched.fake.requests.length = 0
  // those of the old url are still there in the polls that follow
  await until("two polls", () => watched.fake.requests.filter((one) => one === "/api/v1/query").length > 2 || undefined)
  const { sites } = await watched.shows("a waiting waiting", "b waiting waiting")
  assert.deepEqual(
    sites.map(({ lastDelivery, series, durationSeconds }) => [lastDelivery, series, durationSeconds]),
    [
      [null, null, null],
      [null, null, null],
    ],
  )
  assert.equal(watched.status.source.site("b")?.changes[0]?.state, "waiting")
  watched.pass(30)
  const at = watched.now() / 1000
  watched.fake.scrapes.set("a", [{ at, up: false }])
  watched.fake.scrapes.set("b", [{ at, up: true }])
  await watched.shows("a attention one_scrape_failed", "b ok")
})

test("remembers nothing of a site that was removed and is listed again", async (t) => {
  const folder = temporaryFolder(t).path
  const first = await watchTwo(t, { folder })
  await first.shows("a ok", "b down refused")
  await first.status.close()
  const second = await watch(t, { folder, fake: first.fake })
  second.list(listedSite("a"), listedSite("b"))
  await second.shows("a ok", "b down refused")
  second.list(listedSite("a"))
  second.pass(600)
  first.fake.scrapes.delete("b")
  first.fake.scrapes.set("a", [{ at: second.now() / 1000, up: false }])
  await second.shows("a attention one_scrape_failed")
  second.list(listedSite("a"), listedSite("b"))
  await second.shows("a attention one_scrape_failed", "b waiting waiting")
  first.fake.scrapes.set("b", [{ at: second.now() / 1000, up: false }])
  await second.shows("a attention one_scrape_failed", "b attention one_scrape_failed")
  assert.deepEqual(
    second.status.source.site("b")?.changes.map(({ state }) => state),
    ["attention", "waiting"],
  )
})

test("remembers nothing of a site that has another url after a restart", async (t) => {
  const folder = temporaryFolder(t).path
  const first = await watchTwo(t, { folder })
  await first.shows("a ok", "b down refused")
  await first.status.close()
  first.fake.respond = () => true
  const second = await watch(t, { folder, fake: first.fake })
  second.list(listedSite("a"), listedSite("b", { url: "https://new.example.org" }))
  second.pass(6)
  const { sites } = await second.shows("a unknown (ok)", "b unknown (waiting)")
  assert.deepEqual([sites[1]?.lastDelivery, second.status.source.site("b")?.changes], [null, []])
})

test("keeps, of a site that moves to another Prometheus, when it delivered last", () => {
  const moment = { now: 10_000, ahead: 0, known: true, readySince: 0 }
  const record = { ...NO_SCRAPES, delivered: 7, failures: 2, failingSince: 8 }
  const tracked = track(listedSite("a"), { ...newlyListed(moment), record, seriesDayAgo: 5 }, "a", 0)
  const moved = atShard(tracked, "b", undefined, moment)
  assert.deepEqual(
    [moved.shard, moved.row.shard, moved.record, moved.seriesDayAgo],
    ["b", "b", { ...NO_SCRAPES, delivered: 7 }, null],
  )
})
