import assert from "node:assert/strict"
import test from "node:test"
import type { Version } from "./message/version.ts"
import { routingOf, tenants } from "./routing/testing.ts"
import { read, write } from "./senders/messages.testing.ts"
import type { Slice } from "./split/slice.ts"
import { messageOf as messageV1 } from "./split/v1.testing.ts"
import { messageOf as messageV2 } from "./split/v2.testing.ts"
import { splitMessage } from "./split-message.ts"

const series = (...labels: readonly (readonly [string, string])[]) => ({ labels, samples: [1], exemplars: [] })
const name = ["__name__", "up"] as const
const MESSAGE = [
  series(name, ["tenant_id", "red"]),
  series(name, ["team", "blue"], ["tenant_id", "red"]),
  series(name, ["team", "blue"]),
  series(name, ["tenant_id", ""]),
  series(name, ["tenant_id", "0"]),
  series(name, ["tenant_id", "a|b"]),
  series(name),
]

const UP = "up"
const RED = "up tenant_id=red"
const BOTH = "up team=blue tenant_id=red"
const BLUE = "up team=blue"
const EMPTY = "up tenant_id="
const NULL = "up tenant_id=0"
const INVALID = "up tenant_id=a|b"
const NO_ID = `the tenant "a|b" in the label tenant_id must consist of letters, digits and !-_.*'() (has "|")`

interface Expected {
  readonly slices: Readonly<Record<string, readonly string[]>>
  readonly rejected: readonly string[]
  readonly byDefault: number
  readonly ignored?: readonly [series: number, ...reasons: string[]]
}

const cases: Readonly<Record<string, Expected>> = {
  "": {
    slices: { red: [RED, BOTH], 0: [RED, BOTH, BLUE, EMPTY, NULL, UP] },
    rejected: [NO_ID],
    byDefault: 3,
  },
  "--disable-full-replication": {
    slices: { red: [RED, BOTH], 0: [BLUE, EMPTY, NULL, UP] },
    rejected: [NO_ID],
    byDefault: 3,
  },
  "--allow-listed-tenants blue": {
    slices: { 0: [RED, BOTH, BLUE, EMPTY, NULL, INVALID, UP] },
    rejected: [],
    byDefault: 6,
    ignored: [3, 'the tenant "red" in the label tenant_id is not in the allow list', NO_ID],
  },
  "--strip-tenant-label": {
    slices: { red: [UP, BLUE], 0: [RED, BOTH, BLUE, EMPTY, NULL, UP] },
    rejected: [NO_ID],
    byDefault: 3,
  },
  "--strip-tenant-label --tenant-label-list tenant_id,team": {
    slices: { red: [UP, BLUE], blue: [RED, UP], 0: [RED, BOTH, BLUE, EMPTY, NULL, UP] },
    rejected: [NO_ID],
    byDefault: 2,
  },
  "--strip-tenant-label --tenant-label-list tenant_id,team --tenant-label-mode first --disable-full-replication": {
    slices: { red: [UP, BLUE], blue: [UP], 0: [EMPTY, NULL, UP] },
    rejected: [NO_ID],
    byDefault: 2,
  },
  "--default-tenant-list=": {
    slices: { red: [RED, BOTH], 0: [NULL] },
    rejected: ["no label names a tenant (tenant_id), and there is no default tenant", NO_ID],
    byDefault: 0,
  },
}

const messageOf = (slice: Slice): Buffer =>
  slice.version === 1 ? Buffer.from(messageV1(slice), "latin1") : messageV2(slice)

for (const version of [1, 2] satisfies Version[]) {
  for (const [flags, expected] of Object.entries(cases)) {
    test(`splits version ${version} by ${flags || "the defaults"}`, () => {
      const allowed = flags.includes("allow") ? tenants("blue") : undefined
      const routing = routingOf(flags.split(" ").filter(Boolean), allowed)
      const split = splitMessage(write(version, MESSAGE), version, { sender: undefined }, routing)
      const show = (slice: Slice): readonly string[] =>
        read(version, messageOf(slice)).map(({ labels }) =>
          labels.map(([label, value]) => (label === "__name__" ? value : `${label}=${value}`)).join(" "),
        )
      assert.deepEqual(
        {
          slices: Object.fromEntries(split.slices.map((slice) => [slice.tenant, show(slice)])),
          rejected: split.rejected.map(({ reason }) => reason),
          byDefault: split.seriesByDefault,
          ignored: [split.ignored.series, ...split.ignored.reasons],
        },
        { ignored: [0], ...expected },
      )
    })
  }
}
