import type { ProbeReport, StageResult } from "../diagnosis/probe-report.ts"
import { span, took } from "../diagnosis/words.ts"
import { cut, type Html, markup } from "./html.ts"
import { ago } from "./row.ts"
import { STAGE_NAMES } from "../diagnosis/stage-names.ts"

const MARKS: Readonly<Record<StageResult["outcome"], readonly [mark: string, word: string]>> = {
  passed: ["✓", "passed"],
  failed: ["✕", "failed"],
  not_reached: ["–", "not reached"],
  skipped: ["–", "does not apply"],
}

/** The last probe, stage by stage, and what was seen besides `known`. */
export function checklist(report: ProbeReport | undefined, known: string | null, now: Date): Html {
  if (report === undefined) return markup`<p class="soft">Not checked yet.</p>`
  const besides = report.findings.filter(({ reason }) => reason !== known)
  return markup`<p class="soft">Checked ${ago(report.at, now, "ago")}, the way of the scrape.</p>
<ol class="steps">
${report.stages.map(step)}
</ol>
${
  besides.length > 0 &&
  markup`<ul class="findings">
${besides.map(({ reason, todo }) => markup`<li><b>${cut(reason, 2000)}</b> ${cut(todo, 2000)}</li>`)}
</ul>
`
}${skew(report.clockSkew)}`
}

function step({ stage, outcome, detail, seconds }: StageResult): Html {
  const [mark, word] = MARKS[outcome]
  return markup`<li class="${outcome}"><span aria-hidden="true">${mark}</span><span>${STAGE_NAMES[stage]}<span class="unseen">: ${word}</span></span><span class="detail">${cut(detail ?? (outcome === "passed" || outcome === "failed" ? "" : word), 500)}</span><span class="n">${seconds !== undefined && took(seconds)}</span></li>`
}

/** Clocks differ by less than this, and by the time of the request. */
const NOTICEABLE = 2

function skew(seconds: number | undefined): Html | false {
  if (seconds === undefined || Math.abs(seconds) < NOTICEABLE) return false
  return markup`<p class="soft">The site's clock is ${span(Math.abs(seconds))} ${seconds > 0 ? "ahead of" : "behind"} the portal's.</p>`
}
