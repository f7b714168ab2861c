import { test } from "node:test"
import type * as FastCheck from "fast-check"

// a copy of this file finds no packages of ours
const { sample, nat } = (await import(process.env["FAST_CHECK"] ?? "")) as typeof FastCheck

test("draws", () => {
  throw new Error(sample(nat(), 3).join(" "))
})
