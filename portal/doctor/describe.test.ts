import assert from "node:assert/strict"
import { test } from "node:test"
import { STAGES, type StageResult } from "../diagnosis/probe-report.ts"
import { delivers, describe } from "./describe.ts"

/** All stages passed but freshness. */
const reportWith = (freshness: StageResult["outcome"]) => ({
  site: "site-a",
  at: new Date("2026-11-30T14:00:00Z"),
  stages: STAGES.map((stage) => ({ stage, outcome: stage === "freshness" ? freshness : "passed" }) as const),
  findings: [],
})

test("a site delivers only where every stage passed that applies", () => {
  for (const [freshness, expected] of [
    ["passed", true],
    ["skipped", true],
    ["failed", false],
    ["not_reached", false],
  ] as const)
    assert.equal(delivers(reportWith(freshness)), expected, freshness)
})

test("a site that delivers is shown with what is wrong besides, and what has ended", () => {
  const finding = {
    cause: { id: "address_dead", title: "", sentence: "", todo: "" },
    details: {},
    reason: "Not every address of the site responds.",
    todo: "Ask the site's admin to repair it.",
  }
  const report = {
    ...reportWith("passed"),
    findings: [finding],
    tokenExpires: new Date("2026-11-30T13:59:00Z"),
    clockSkew: -660,
  }
  assert.equal(
    describe(report, "https://site-a.example.org/federate"),
    `site-a delivers, but needs attention
  https://site-a.example.org/federate
  ✓ passed       Name
  ✓ passed       Connection
  ✓ passed       TLS
  ✓ passed       Token
  ✓ passed       Selectors
  ✓ passed       Response
  ✓ passed       Exposition
  ✓ passed       Freshness

  Not every address of the site responds.
  → Ask the site's admin to repair it.

  The token ended 1 min ago: 30 Nov 2026, 13:59:00 UTC
  The site's clock is 11 min behind the clock here
`,
  )
})
