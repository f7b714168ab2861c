import { fork } from "node:child_process"
import { hash } from "node:crypto"
import { readText } from "#core/files/read-text.ts"
import { ConfigurationError, defineError } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import {
  type Cloud,
  type DomainFilter,
  isWanted,
  missingDomains,
  type Period,
  type Project,
  type Server,
} from "./cloud.ts"
import { type DummyDomain, type Machine, parseDummyFile } from "./dummy-file.ts"
import type { ParserAnswer, ParserInput } from "./dummy-parser.ts"
import { hoursBetween } from "./usage.ts"

const NO_PROPERTIES = {}
/** Characters of a file from where on it is parsed apart. */
const LARGE = 1_000_000

export const parserDied = defineError(
  "PARSER_DIED",
  500,
  "the process that parsed {file} ended without an answer: {reason}",
)

/**
 * A cloud that stands in a TOML file, read again whenever usage is asked for; parsed again only if its content changed.
 * Throws ConfigurationError with every fault if the file is wrong from the beginning.
 */
export async function openDummyCloud(file: string, filter: DomainFilter, log: Logger): Promise<Cloud> {
  let known = { digest: "", domains: [] as readonly DummyDomain[] }
  const read = async (): Promise<readonly DummyDomain[]> => {
    const text = readText(file)
    const digest = hash("sha256", text)
    if (digest === known.digest) return known.domains
    known = { digest, domains: text.length < LARGE ? parseDummyFile(text, file) : await parseApart({ text, file }) }
    warnOfMissingDomains(known.domains, filter, log)
    return known.domains
  }
  await read()
  return {
    async usage(period) {
      const domains = await read()
      const projects = domains
        .filter((domain) => isWanted(domain, filter))
        .flatMap((domain) =>
          domain.projects.map(({ id, name, machines }): Project => ({
            key: `${domain.id}/${domain.name}/${id}`, // ids need not be given
            id,
            name,
            domainId: domain.id,
            domainName: domain.name,
            properties: NO_PROPERTIES,
            // made when it is their turn, so that the servers of a large cloud are never all there at once
            get servers() {
              return machines.map((machine) => serverOf(machine, period))
            },
          })),
        )
      return { projects }
    },
  }
}

/**
 * Parses in a process of its own: a large file takes hundreds of milliseconds, in which scrapes are to be answered, and
 * hundreds of megabytes, which only the end of a process gives back.
 */
async function parseApart(input: ParserInput): Promise<readonly DummyDomain[]> {
  const parser = fork(new URL("./dummy-parser.ts", import.meta.url), { serialization: "advanced" })
  const { promise, resolve, reject } = Promise.withResolvers<ParserAnswer>()
  parser.once("message", (answer) => resolve(answer as ParserAnswer))
  parser.once("error", reject)
  parser.once("exit", (code, signal) => reject(parserDied({ file: input.file, reason: signal ?? `exit code ${code}` })))
  parser.send(input)
  const answer = await promise
  if ("faults" in answer) throw new ConfigurationError(answer.faults)
  return answer.domains
}

function warnOfMissingDomains(domains: readonly DummyDomain[], filter: DomainFilter, log: Logger): void {
  const missing = missingDomains(domains, filter)
  if (missing.length === 0) return
  log.warn(
    { missing, there: domains.map(({ name }) => name) },
    "the dummy cloud has no such domain; see --domain and --domain-id",
  )
}

function serverOf({ vcpus, memoryMb, existence, metadata }: Machine, { start, end }: Period): Server {
  const period = [start.getTime(), end.getTime()] as const
  const [from, to] =
    existence === "since the start" ? period : existence === "never" ? ([period[0], period[0]] as const) : existence
  return {
    vcpus,
    memoryMb,
    diskGb: 0,
    metadata,
    startedAt: from / 1000,
    endedAt: existence === "since the start" ? Infinity : to / 1000,
    hours: hoursBetween(period, [from, to]),
  }
}
