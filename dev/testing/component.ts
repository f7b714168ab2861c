import type { TestContext } from "node:test"

/** A real component that a suite needs, or why it is not to be had here. */
export type Found<T> = { readonly value: T } | { readonly missing: string }

/**
 * The component, or undefined after the test was marked as skipped with the reason. With FEDSTACK_TEST_ALL=1, as in CI,
 * a missing component is a failure.
 */
export function need<T>(test: TestContext, found: Found<T>): T | undefined {
  if ("value" in found) return found.value
  if (process.env.FEDSTACK_TEST_ALL === "1") throw new Error(`FEDSTACK_TEST_ALL=1, but ${found.missing}`)
  test.skip(found.missing)
  return undefined
}
