import { UsageError } from "#core/errors.ts"

/** What this machine has; memory in bytes. */
export interface Machine {
  readonly cpus: number
  readonly availableMemory: number
}

export interface Plan {
  /** Sites that are being started at the same time. */
  readonly workers: number
  /** Seconds between scrapes, everywhere: short, for a short start, as long as few scrape. */
  readonly interval: number
  /** What the user should know before it begins. */
  readonly warnings: readonly string[]
}

const MIB = 2 ** 20
/** Of exporter, Prometheus and proxy of one site after some minutes, measured with 20 sites. */
const SITE_MEMORY = 230 * MIB
/** Of the portal and its Prometheus. */
const PORTAL_MEMORY = 300 * MIB
/** Left to everything else on the machine. */
const RESERVE = 512 * MIB
/** Processor seconds of the start of a site. */
const SITE_START = 5

/** How so many sites are started here. Throws UsageError where memory does not suffice, unless it is forced. */
export function planStart(sites: number, force: boolean, { cpus, availableMemory }: Machine): Plan {
  const most = Math.max(0, Math.floor((availableMemory - RESERVE - PORTAL_MEMORY) / SITE_MEMORY))
  const scarce = `${sites === 1 ? "1 site needs" : `${sites} sites need`} about ${gibibytes(sites * SITE_MEMORY + PORTAL_MEMORY + RESERVE)} of memory, and ${gibibytes(availableMemory)} is available`
  if (sites > most && !force)
    throw new UsageError([{ where: "--sites", message: `${scarce}: start at most ${most}, or set --force` }])
  const interval = sites <= 5 * cpus ? 1 : Math.min(30, Math.ceil(sites / (2 * cpus)))
  const minutes = Math.ceil((sites * SITE_START) / cpus / 60)
  const slow = `${sites} sites on ${cpus === 1 ? "1 CPU" : `${cpus} CPUs`}: starting them takes about ${minutes} min, and scrapes are every ${interval} s`
  return {
    workers: Math.max(2, cpus),
    interval,
    warnings: [
      ...(sites > most ? [`${scarce}: the machine may come to a stand`] : []),
      ...(interval > 1 ? [slow] : []),
    ],
  }
}

/** Whether one more site can be started. */
export const hasRoom = ({ availableMemory }: Pick<Machine, "availableMemory">): boolean =>
  availableMemory > RESERVE + SITE_MEMORY

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
