import assert from "node:assert/strict"
import { test } from "node:test"
import { bannersOf, type Circumstances, datedBanners, type ShardCircumstances } from "./banners.ts"

const NOON = new Date("2026-11-30T12:00:00Z")
const WELL: ShardCircumstances = {
  shard: undefined,
  silent: undefined,
  prometheusUrl: "http://prometheus:9090",
  problem: undefined,
  edited: undefined,
  missing: { jobs: 0, of: 300 },
  maxFiles: 1_048_576,
  sites: 300,
}
type About = Partial<ShardCircumstances & Omit<Circumstances, "shards">>
const circumstances = ({ faults = [], shared, former = [], ...about }: About): Circumstances => ({
  shards: [{ ...WELL, ...about }],
  sitesFile: "portal/sites.yaml",
  faults,
  shared,
  former,
})
const shown = (about: About): readonly string[] =>
  bannersOf(circumstances(about)).map(({ id, severity, message, todo }) => `${id} ${severity}: ${message} ${todo}`)

const problem = (step: "writing" | "reloading", code: string | undefined, reason: string) => ({
  problem: { step, code, reason, since: NOON },
})

test("has none where all is well, or not known", () => {
  assert.deepEqual([shown({}), shown({ missing: undefined, maxFiles: undefined })], [[], []])
})

const CASES: Readonly<Record<string, readonly [About, readonly string[]]>> = {
  "Prometheus is not reached": [
    { silent: { reason: "nothing listens there", starting: false } },
    [
      "prometheus_unreachable trouble: The portal cannot request Prometheus at http://prometheus:9090: nothing listens there. Check that Prometheus runs, and --prometheus.url with its credentials. States are those of before.",
    ],
  ],
  "Prometheus reads its data": [
    { silent: { reason: "503", starting: true } },
    [
      "prometheus_starting trouble: Prometheus is starting: it reads its data, and scrapes no site until that is done. Wait; its log shows how far it is. States are those of before.",
    ],
  ],
  "Prometheus is away, and therefore not reloaded: one banner for one fault": [
    { silent: { reason: "gone", starting: true }, ...problem("reloading", "REQUEST_FAILED", "gone") },
    [
      "prometheus_starting trouble: Prometheus is starting: it reads its data, and scrapes no site until that is done. Wait; its log shows how far it is. States are those of before.",
    ],
  ],
  "the configuration is refused": [
    problem("reloading", "RELOAD_REFUSED", "Prometheus at http://p refused its new configuration: base.yml"),
    [
      "config_refused trouble: Prometheus at http://p refused its new configuration: base.yml Prometheus' log names the fault, and promtool check rules finds it in a rule file: mend that, or the base configuration. The last accepted configuration stays active.",
    ],
  ],
  "the disk is full": [
    problem("writing", "CONFIGURATION_NOT_WRITTEN", "It cannot be written to /out: ENOSPC."),
    [
      "config_not_written trouble: It cannot be written to /out: ENOSPC. Make room, or make the folder writable; it is tried again by itself. Changes of sites.yaml have no effect until then.",
    ],
  ],
  "another portal is there": [
    problem("writing", "FOLDER_LOCKED", "Another fedstack portal is running."),
    [
      "folder_locked trouble: Another fedstack portal is running. This portal changes nothing until the other one ends.",
    ],
  ],
  "Prometheus does not allow reloads": [
    problem("reloading", "LIFECYCLE_DISABLED", "Start it with --web.enable-lifecycle."),
    [
      "config_not_reloaded trouble: Start it with --web.enable-lifecycle. Changes of sites.yaml have no effect until Prometheus is reloaded; it is tried again by itself.",
    ],
  ],
  "sites.yaml has faults": [
    {
      faults: Array.from({ length: 7 }, (_, index) => ({
        where: `sites.yaml:${index}:5 sites[${index}]`,
        message: "x",
      })),
    },
    [
      "sites_file_faulty trouble: The configuration has 7 faults, the previous one stays active: sites.yaml:0:5 sites[0]: x; sites.yaml:1:5 sites[1]: x; sites.yaml:2:5 sites[2]: x; sites.yaml:3:5 sites[3]: x; sites.yaml:4:5 sites[4]: x (and 2 more) Mend portal/sites.yaml, or the file that is named: it is read again when it changes. fedstack check sites shows every fault.",
    ],
  ],
  "the configuration was edited": [
    { edited: "/out/prometheus.yml", missing: { jobs: 3, of: 300 } },
    [
      "config_edited attention: /out/prometheus.yml is not what the portal wrote: it was changed or removed since. Put changes into sites.yaml or the base configuration; the portal writes the file again at the next change, or on SIGHUP.",
    ],
  ],
  "it is another Prometheus": [
    { missing: { jobs: 300, of: 300 } },
    [
      "other_configuration trouble: Prometheus has the job of no site: it does not read the configuration that the portal writes. Compare --config.file of Prometheus with --prometheus.config-dir, and --prometheus.url with the Prometheus that is meant.",
    ],
  ],
  "some jobs are missing": [
    { missing: { jobs: 1, of: 300 } },
    [
      'jobs_missing attention: Prometheus has no job for 1 site, though it accepted the configuration. Its log has the reason under "error creating new scrape pool": mostly a file that it cannot read.',
    ],
  ],
  "many sites fail in the same way": [
    {
      shared: {
        cause: "resolver_failed",
        count: 90,
        since: NOON,
        message: "90 sites fail.",
        todo: "Look at the resolver.",
      },
    },
    ["shared_cause trouble: 90 sites fail. Look at the resolver."],
  ],
  "Prometheus may open few files": [
    { maxFiles: 600 },
    [
      "few_file_descriptors attention: Prometheus may open 600 files, and needs some 800 for 300 sites. Raise its limit (LimitNOFILE, ulimits.nofile) before scrapes fail with too many open files.",
    ],
  ],
}
for (const [name, [about, expected]] of Object.entries(CASES))
  test(`says so where ${name}`, () => assert.deepEqual(shown(about), expected))

test("says of no site that it is not affected where none of several Prometheus responds", () => {
  const silent = { silent: { reason: "nothing listens there", starting: false } }
  const shards = ["a", "b"].map((shard) => ({ ...WELL, ...silent, shard, sites: 150 }))
  assert.deepEqual(
    bannersOf({ ...circumstances({}), shards }).map(({ todo }) => todo.split(". ").at(-1)),
    Array.from(shards, () => "The states of its 150 sites are those of before."),
  )
})

test("names the Prometheus, where there are several, and those that are no longer given", () => {
  const of = (shard: string, about: Partial<ShardCircumstances> = {}) => ({ ...WELL, shard, sites: 150, ...about })
  const found = bannersOf({
    ...circumstances({ former: [{ name: "old", folder: "/out/old", sites: 1 }] }),
    shards: [
      of("a", { maxFiles: 400 }),
      of("b", { silent: { reason: "nothing listens there", starting: false } }),
      of("c", { silent: { reason: "503", starting: true } }),
      of("d", { missing: { jobs: 150, of: 150 } }),
    ],
  })
  assert.deepEqual(
    found.map(({ id, shard, message, todo }) => `${id} ${shard}: ${message} ${todo}`),
    [
      "prometheus_unreachable b: The portal cannot request Prometheus b at http://prometheus:9090: nothing listens there. Check that Prometheus runs, and --prometheus.shard with its credentials. The states of its 150 sites are those of before; others are not affected.",
      "prometheus_starting c: Prometheus c is starting: it reads its data, and scrapes no site until that is done. Wait; its log shows how far it is. The states of its 150 sites are those of before; others are not affected.",
      "other_configuration d: Prometheus d has the job of no site: it does not read the configuration that the portal writes. Compare --config.file of Prometheus with its folder, and its URL with the Prometheus that is meant.",
      "shard_gone old: /out/old still has the configuration of old, which is no longer a --prometheus.shard: a Prometheus that reads it scrapes 1 site beside the present ones. End that Prometheus, then delete the folder; or give the shard again.",
      "few_file_descriptors a: Prometheus a may open 400 files, and needs some 500 for 150 sites. Raise its limit (LimitNOFILE, ulimits.nofile) before scrapes fail with too many open files.",
    ],
  )
})

test("shows hostile texts in one line, without control characters, cut at 2 kB", () => {
  const [banner] = bannersOf(
    circumstances({ silent: { reason: `a\u001b[2J\n${"x".repeat(100_000)}`, starting: false } }),
  )
  assert.match(banner?.message ?? "", /: a \[2J x+…\.$/)
  assert.equal((banner?.message.length ?? 0) < 2200, true)
})

test("notes since when each is there, and is the same object while it does not change", () => {
  const dated = datedBanners()
  const silent = bannersOf(circumstances({ silent: { reason: "gone", starting: false } }))
  const first = dated(silent, NOON)
  const later = new Date(NOON.getTime() + 60_000)
  assert.equal(dated(silent, later), first)
  assert.deepEqual(first[0]?.since, NOON)
  assert.deepEqual(dated([], later), [])
  assert.deepEqual(dated(silent, later)[0]?.since, later)
})
