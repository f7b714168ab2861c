import { test } from "node:test"

export function declareFailing(): void {
  test("is declared by another file", () => {
    throw new Error("fails there")
  })
}
