import type { Path } from "#core/config/config-file.ts"
import { SHARD } from "./shard-config.ts"
import type { Shard } from "./shards.ts"
import type { Site } from "./sites.ts"

interface Listed {
  readonly sites: readonly Site[]
  readonly where: (path: Path) => string
}

/** Whether every shard that sites.yaml names is there, and no site has the label by which shards differ. */
export function checkPins(
  { sites, where }: Listed,
  shards: readonly Shard[],
  report: (where: string, message: string) => void,
): void {
  const names = shards.filter(({ named }) => named).map(({ name }) => name)
  for (const site of sites) {
    const { index } = site
    if (names.length > 0 && Object.hasOwn(site.labels, SHARD))
      report(where(["sites", index, "labels", SHARD]), "is set by --prometheus.shard; give this label another name")
    const pin = site.shard
    if (pin === undefined || names.includes(pin)) continue
    const given = names.length === 0 ? "none is given" : `given are ${names.join(", ")}`
    report(where(["sites", index, "shard"]), `there is no --prometheus.shard ${JSON.stringify(pin)}: ${given}`)
  }
}
