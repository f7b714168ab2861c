import { moment, took } from "../diagnosis/words.ts"
import type { SiteDetails, State } from "../status/overview.ts"
import { quote } from "./curl.ts"
import { pushConfig } from "./push-config.ts"
import { STAGE_NAMES } from "../diagnosis/stage-names.ts"

const OPENINGS: Partial<Readonly<Record<State, string>>> = {
  down: "our portal has received no metrics from",
  stale: "our portal has received no new metrics from",
  attention: "our portal sees a problem with the metrics of",
}

/** For the site's admin, ready to send; undefined where there is nothing to say. It holds no secret, and nothing of other sites. */
export function letter(details: SiteDetails, push?: string): string | undefined {
  const { status, report, changes, match } = details
  const opening = OPENINGS[status.state]
  if (opening === undefined) return undefined
  if (details.pushes !== undefined) return toPushing(details, opening, push)
  if (status.url === "") return undefined
  const words = changes.find(({ text }) => text !== null)?.text
  const subject =
    status.state === "attention" ? "its metrics need attention" : "its metrics do not arrive at the portal"
  return [
    `Subject: ${status.name}: ${subject}`,
    "",
    "Hello,",
    "",
    `since ${moment(status.since)} ${opening}`,
    `${status.url}/federate.`,
    "",
    ...(status.reason === null ? [] : [status.reason]),
    ...(details.todoAtSite === null ? [] : [`What to do, as the portal has it: ${details.todoAtSite}`]),
    ...(report === undefined ? [] : ["", `The last check, of ${moment(report.at)}:`, ...report.stages.map(stageLine)]),
    ...(words ? ["", `Prometheus reports: ${words}`] : []),
    "",
    "The same check from where you are:",
    `  fedstack doctor --url ${quote(status.url)} --token-file FILE${match.map((selector) => ` \\\n    --match ${quote(selector)}`).join("")}`,
    "",
  ].join("\n")
}

function toPushing(details: SiteDetails, opening: string, push: string | undefined): string {
  const { status } = details
  return [
    `Subject: ${status.name}: its metrics do not arrive at the portal as they should`,
    "",
    "Hello,",
    "",
    `since ${moment(status.since)} ${opening}`,
    `${status.name}, which writes them to us by remote write.`,
    "",
    ...(status.reason === null ? [] : [status.reason]),
    "",
    "Your Prometheus logs why a write fails. This is what its prometheus.yml needs; the token is the one that you have from us:",
    "",
    pushConfig(details, push),
  ].join("\n")
}

function stageLine({ stage, outcome, detail, seconds }: NonNullable<SiteDetails["report"]>["stages"][number]): string {
  const more = [detail, seconds === undefined ? undefined : took(seconds)].filter((part) => part !== undefined)
  return `  ${`${STAGE_NAMES[stage]}:`.padEnd(12)} ${outcome.replace("_", " ")}${more.length > 0 ? ` (${more.join(", ")})` : ""}`
}
