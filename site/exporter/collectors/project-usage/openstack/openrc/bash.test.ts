import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { test } from "node:test"
import * as fc from "fast-check"
import { temporaryFolder } from "../../../../../../dev/testing/folder.ts"
import { parseOpenrc } from "./openrc.ts"

const OUTSIDE = { HOME: "/home/ann", HOST: "h", PATH: "/usr/bin:/bin" }
const NAMES = ["OS_A", "OS_B", "OS_C", "X", "Y"]

const name = fc.constantFrom(...NAMES)
const piece = fc.oneof(
  fc.constantFrom("a", "b1", "x.y", "/p", "#z", "~", "=", "{q}", "!", "\\ ", "\\$", "\\\\", "\\'", "é"),
  fc.constantFrom("''", "'a b'", "'$X'", "'\"'", "'#'", "'\\'", "$'a\\tb'", "$'\\''"),
  fc.constantFrom('""', '"a b"', '"$X"', '"${Y:-d}"', '"\\$"', '"x\\y"', "\"${X:-'q'}\"", '"${NONE-}"'),
  fc.constantFrom("$X", "$Y", "$HOME", "$OS_A", "${NONE:-d}"),
  fc
    .tuple(name, fc.constantFrom(":-", "-", ":+", "+", ":="), fc.constantFrom("", "d", "'a b'", '"c d"', "${X:-n}"))
    .map((parts) => `\${${parts.join("")}}`),
)
const word = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""))
const assignment = fc.tuple(name, fc.constantFrom("=", "=", "+="), word).map((parts) => parts.join(""))
const condition = fc.oneof(
  name.map((one) => `[ -z "$${one}" ]`),
  fc.tuple(name, fc.constantFrom("-z", "-n", "! -z")).map(([one, operator]) => `[[ ${operator} $${one} ]]`),
  fc
    .tuple(name, fc.constantFrom("=", "==", "!="), word)
    .map((parts) => `[[ "$${parts[0]}" ${parts[1]} x${parts[2]} ]]`),
  fc.tuple(name, name).map(([one, other]) => `[[ -n $${one} && -z $${other} ]]`),
  fc.tuple(name, fc.constantFrom("=", "!=")).map(([one, operator]) => `[ "\${${one}:-}" ${operator} yy ]`),
)
const simple = fc.oneof(
  fc.array(assignment, { minLength: 1, maxLength: 2 }).map((all) => all.join(" ")),
  fc.array(assignment, { minLength: 1, maxLength: 2 }).map((all) => `export ${all.join(" ")}`),
  name.map((one) => `unset ${one}`),
  assignment.map((one) => `${one} echo`),
  word.map((one) => `: ${one}`),
  condition,
  fc.constantFrom("true", "false", 'echo "$X" >/dev/null', "# comment '\"\n:"),
)
const { statement } = fc.letrec<{ statement: string }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    simple,
    fc.tuple(simple, fc.constantFrom("&&", "||"), simple).map((parts) => parts.join(" ")),
    fc.tuple(condition, tie("statement"), tie("statement")).map(([a, b, c]) => `if ${a}; then ${b}\nelse ${c}\nfi`),
    fc.tuple(word, tie("statement"), name).map(([a, b, c]) => `for v in x${a} k; do ${b}\n${c}=$v; done`),
    tie("statement").map((one) => `{ ${one}\n}`),
    tie("statement").map((one) => `( ${one}\n)`),
    tie("statement").map((one) => `f() { ${one}\n}; f`),
  ),
}))

test("reads whatever file as bash does, or says that it cannot", async (t) => {
  const { write } = temporaryFolder(t)
  const script = 'set -a; . "$0" >/dev/null 2>&1; env -0'
  const property = fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 6 }), async (statements) => {
    const text = `X=; Y=yy; OS_A=; OS_B=; OS_C=\n${statements.join("\n")}\n`
    const file = await write("rc", text)
    const output = execFileSync("bash", ["--norc", "-c", script, file], { env: OUTSIDE }).toString()
    const { variables } = parseOpenrc(text, file, OUTSIDE)
    for (const one of NAMES.filter((candidate) => candidate.startsWith("OS_"))) {
      const variable = variables.get(one)
      if (variable !== undefined && "unreadable" in variable) continue
      const expected = output.split("\0").find((pair) => pair.startsWith(`${one}=`))
      assert.equal(variable?.value, expected?.slice(one.length + 1), text)
    }
  })
  await fc.assert(property, { numRuns: 150, seed: 11 })
})
