import test from "node:test"

test("needs more", (context) => context.skip("no such component here"))
