import { test } from "node:test"

test("passes", () => void setTimeout(() => { throw new Error("thrown too late") }, 20))
