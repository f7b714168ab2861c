import assert from "node:assert/strict"
import { test } from "node:test"
import { uncountablePaths, parsePackageResponse, parseQueryResponse } from "./response.ts"
import { countedPaths } from "./paths.ts"

const pathNames = ["a", "b", "c"]
const paths = countedPaths(
  [],
  pathNames.map((name) => ({ name, segments: [name] })),
)
const PATH_COUNTS = '[[[2],[5],["ab"]]],[],[[[],[0],[]]]'
const EXPECTED = [
  { kind: "counted", keys: 2, members: 5, digest: "ab" },
  { kind: "undefined" },
  { kind: "uncountable" },
]

test("a response has the count of each path, and how long it took", () => {
  const body = `{"metrics":{"timer_server_handler_ns":1500000},"result":[{"r":[${PATH_COUNTS}]}]}`
  assert.deepEqual(parseQueryResponse(body, paths), { pathCounts: EXPECTED, opaSeconds: 0.0015 })
})

test("a path that was withheld is uncountable", () => {
  const { pathCounts, opaSeconds } = parseQueryResponse('{"result":[{"r":[null,[],[]]}]}', paths)
  assert.deepEqual([pathCounts[0], opaSeconds], [{ kind: "uncountable" }, undefined])
})

test("the package has its counts by path, in any order", () => {
  const result = '{"c":[[[],[0],[]]],"x":[],"a":[[[2],[5],["ab"]]],"b":[]}'
  assert.deepEqual(parsePackageResponse(`{"result":${result}}`, paths)?.pathCounts, EXPECTED)
})

const OLDER = '{"result":{"a":[["object",[2],[5],["ab"]]],"b":[],"c":[]}}'
for (const body of ["{}", '{"result":{"a":[],"b":[]}}', OLDER]) {
  test(`a package that lacks a path, was made by another version or is not there at all is of no use: ${body}`, () => {
    assert.equal(parsePackageResponse(body, paths), undefined)
  })
}

const foreign: readonly (readonly [what: string, body: string])[] = [
  ["HTML", "<html>s3cret</html>"],
  ["nothing", ""],
  ["half of it", '{"result":[{"r":[[[[2'],
  ["another product", '{"status":"success","data":{"result":[]}}'],
  ["an empty result", '{"result":[]}'],
  ["two results", '{"result":[{"r":[[],[],[]]},{"r":[[],[],[]]}]}'],
  ["a path too few", '{"result":[{"r":[[],[]]}]}'],
  ["a count that is none", '{"result":[{"r":[[[[-1],[0],[]]],[],[]]}]}'],
  ["a count with a fraction", '{"result":[{"r":[[[[1.5],[0],[]]],[],[]]}]}'],
  ["a count as text", '{"result":[{"r":[[[["1"],[0],[]]],[],[]]}]}'],
  ["null", "null"],
  ["a list", "[1]"],
]
for (const [what, body] of foreign) {
  test(`${what} is no response of an OPA`, () => {
    assert.throws(
      () => parseQueryResponse(body, paths),
      (error: Error) => error.name === "ReadFailure" && !error.message.includes("s3cret") && error.cause === undefined,
    )
  })
}

const errorsOf = (rows: readonly (number | undefined)[]): string =>
  JSON.stringify({
    code: "invalid_parameter",
    errors: rows.map((row) => ({ code: "rego_type_error", ...(row === undefined ? {} : { location: { row } }) })),
  })

test("errors are attributed to the paths by their lines", () => {
  assert.deepEqual(uncountablePaths(errorsOf([3, 4, 3, undefined]), paths), ["b", "c"])
})

for (const rows of [[], [undefined], [1], [9]]) {
  test(`errors in lines ${JSON.stringify(rows)} are about no path`, () => {
    assert.equal(uncountablePaths(errorsOf(rows), paths), undefined)
  })
}
