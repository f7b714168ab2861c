import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../../../../dev/testing/folder.ts"
import { parseOpenrc } from "./openrc.ts"

const OUTSIDE = { HOME: "/home/ann", HOST: "cloud.example.org", PATH: "/usr/bin:/bin" }

/** Values by name; in place of one that cannot be read, its line and what is to be done. */
function read(text: string): Readonly<Record<string, string>> {
  const { variables } = parseOpenrc(text, "rc", OUTSIDE)
  return Object.fromEntries(
    [...variables].map(([name, variable]) => [
      name,
      "value" in variable ? variable.value : `${variable.line}: ${variable.unreadable}`,
    ]),
  )
}

/** What bash makes of it, which is the judge of all that it can tell without a command. */
async function inBash(t: TestContext, text: string): Promise<Readonly<Record<string, string>>> {
  const file = await temporaryFolder(t).write("rc", text)
  const script = 'set -a; . "$0" >/dev/null 2>&1; env -0'
  const output = execFileSync("bash", ["--norc", "--noprofile", "-c", script, file], { env: OUTSIDE })
  const pairs = output.toString().split("\0")
  return Object.fromEntries(
    pairs
      .filter((pair) => pair.startsWith("OS_"))
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  )
}

const likeBash: Readonly<Record<string, string>> = {
  "bare, quoted, exported and escaped values with comments": `# comment
OS_A=bare
export OS_B='single $quoted "value"'
  export   OS_C="double \\"quoted\\" \\$5 \\\\ 'x' \\n"   # a comment
OS_D=a'b'"c"d#e
OS_E=a\\ b\\#c
OS_F=
OS_G=""
OS_H=ümläut
export OS_A OS_B
OS_I=p@ss!w*rd{1}?%^~
OS_J=$'it\\'s\\ttabbed'
OS_K="a'b"'c"d'
`,
  "several assignments on a line, trailing semicolons and lists": `OS_A=1 OS_B=2; OS_C=3;
export OS_D=4 OS_E='5 6';
export OS_F=7; export OS_G=8 && export OS_H=9
true && OS_I=yes || OS_I=no
false && OS_J=yes || OS_J=no
! false && OS_K=yes
{ OS_L=1; OS_M=2; }
`,
  "prefixed assignments, which end with their command": `OS_A=1
OS_A=2 true
OS_B=3 echo
`,
  "values over several lines and continued lines": `OS_A="two
lines"
OS_B=one\\
word
export \\
  OS_C=x
`,
  "expansions with defaults": `OS_A=\${NONE:-default} OS_B=\${NONE-default}
OS_C=\${OS_A:+set} OS_D=\${NONE:+set}
OS_E=\${NONE2:=assigned}; OS_F=$NONE2
EMPTY=; OS_G=\${EMPTY:-default}; OS_H=\${EMPTY-default}; OS_I="\${EMPTY:-with "quotes" and 'single'}"
OS_J=\${HOST}:5000 OS_K="https://$HOST:5000/v3" OS_L=$HOST\${NONE:-}/x
OS_M=\${NONE:-"a b"} OS_N=\${NONE:-\${HOST:-x}}
`,
  "what is set before, which a file may use and add to": `OS_CACERT=~/ca.pem
OS_CERT=$HOME/cert.pem
OS_KEY="~/no"
OS_A=x; OS_A+=y; export OS_A+=z
OS_B=a~/b
`,
  "unset, and conditions on variables": `OS_A=1; OS_B=2; unset OS_A; unset -v OS_B
OS_C=""; if [ -z "$OS_C" ]; then unset OS_C; fi
OS_D=x; if [ -z "$OS_D" ]; then unset OS_D; fi
if [ "$OS_D" = x ]; then OS_E=yes; else OS_E=no; fi
if test -n "$NONE"; then OS_F=1; elif [ "$OS_D" != y ]; then OS_F=2; else OS_F=3; fi
[ -z "\${OS_G+x}" ] && OS_G=default
if ! [ "$OS_D" == y ]; then OS_H=1; fi
`,
  "loops over words, and functions": `for name in OS_A OS_B; do export $name; done
for n in a b; do OS_C=$n; done
OS_E=; for n in 1 2 3; do if [ $n = 2 ]; then continue; fi; OS_D="$OS_E$n"; OS_E=$OS_D; done
for n in 1 2 3; do [ $n = 2 ] && break; OS_F=$n; done
setup() { OS_G=from; return 0; OS_G=never; }
setup
function other { OS_H=x
}
other
unused() { OS_I=x; }
OS_GONE=1; for key in OS_GONE OS_OTHER; do unset $key; done
`,
  "programs, pipelines, subshells and documents, which set nothing": `OS_A=1
( OS_A=2 )
echo x | OS_A=3
cat <<EOF >/dev/null
OS_A=4
EOF
cat <<-'END' >/dev/null
	OS_A=5
	END
ls >/dev/null 2>&1
printf '%s\\n' "(OS_A=6)" > /dev/null
export PS1="(\\u@cloud) $PS1"
export PATH=$PATH:/opt/osc/bin
alias os='openstack --insecure'
`,
  "an end before the end": `OS_A=1
return
OS_A=2
`,
}
for (const [what, text] of Object.entries(likeBash)) {
  test(`reads ${what} as bash does`, async (t) => {
    const expected = await inBash(t, text)
    assert.deepEqual(read(text), expected)
    assert.ok(Object.keys(expected).length > 0)
  })
}

for (const name of ["kolla-ansible.rc", "tripleo.rc", "openstack-ansible.rc"]) {
  test(`reads the file of ${name.replace(/\..*/, "")} as bash does`, async (t) => {
    const text = readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8")
    assert.deepEqual(read(text), await inBash(t, text))
    assert.match(read(text).OS_AUTH_URL ?? "", /^https?:/)
  })
}

test("reads a file with Windows' line ends and a byte order mark", () => {
  const text = '\uFEFFexport OS_A=1\r\nOS_B=\'2\'; OS_C="3"\r\nif [ -z "$OS_C" ]; then\r\n  unset OS_C\r\nfi\r\n'
  assert.deepEqual(read(text), { OS_A: "1", OS_B: "2", OS_C: "3" })
})

const literally = (name: string) =>
  `Write the value literally, ${name}='…', in single quotes where it holds $ or a blank`
const command = (name: string, line: number) =>
  `${line}: ${name} is made by a command, and no command is run. ${literally(name)}`
const depends = (name: string, line: number) =>
  `${line}: ${name} depends on a command, and no command is run. ${literally(name)}`
const terminal = (name: string, line: number) =>
  `${line}: ${name} is read from a terminal, and there is none. Replace this line by ${name}='…' and keep the file to yourself (chmod 600), or set ${name} in the environment`

test("reads nothing of OS_* variables that were set before", () => {
  const { variables } = parseOpenrc("OS_A=${OS_B:-own}; OS_C=${OS_D}", "rc", { OS_B: "other", OS_D: "other" })
  const shown = [...variables].map(([name, one]) => [name, "value" in one ? one.value : one.unreadable])
  assert.deepEqual(shown, [
    ["OS_A", "own"],
    ["OS_C", `OS_C uses $OS_D, which is not set. ${literally("OS_C")}`],
  ])
})

test("names the line of what needs a command, and never a value", () => {
  const text = `OS_A=$(cat SECRET)
OS_B="\`SECRET\`"
OS_C="$SECRET"
read -sp SECRET OS_D
OS_E=$OS_D
OS_F=x$OS_A
OS_G=$((1+1))
OS_H=(SECRET array)
OS_I=pa$$word
if grep -q SECRET /etc/x; then OS_J=SECRET; fi
OS_K=1; which openstack && OS_K=2
case $HOST in SECRET) OS_L=1;; *) OS_L=2;; esac
while false; do OS_M=1; done
OS_N=\${HOST%.org}
`
  assert.deepEqual(read(text), {
    OS_A: command("OS_A", 1),
    OS_B: command("OS_B", 2),
    OS_C: `3: OS_C uses $SECRET, which is not set. ${literally("OS_C")}`,
    OS_D: terminal("OS_D", 4),
    OS_E: terminal("OS_E", 4),
    OS_F: `6: OS_F uses $OS_A, which is made by a command, and no command is run (line 1). ${literally("OS_F")}`,
    OS_G: command("OS_G", 7),
    OS_H: command("OS_H", 8),
    OS_I: command("OS_I", 9),
    OS_J: depends("OS_J", 10),
    OS_K: depends("OS_K", 11),
    OS_L: depends("OS_L", 12),
    OS_M: depends("OS_M", 13),
    OS_N: command("OS_N", 14),
  })
})

test("a later assignment makes good what a command made, and a loop over the names of a command may unset", () => {
  assert.deepEqual(read("OS_A=$(x)\nOS_A=good\nOS_B=$(y); unset OS_B"), { OS_A: "good" })
  const reset = "for key in $(set | grep ^OS_); do unset $key; done"
  assert.deepEqual(read(`${reset}\nOS_A=1`), { OS_A: "1" })
  assert.deepEqual(read(`OS_A=1\n${reset}`), { OS_A: depends("OS_A", 2) })
})

test("names what the file of charmed OpenStack makes by commands", () => {
  const text = readFileSync(new URL("testdata/charmed.rc", import.meta.url), "utf8")
  const { OS_AUTH_URL, OS_PASSWORD, ...others } = read(text)
  const made = "which is made by a command, and no command is run"
  assert.equal(OS_AUTH_URL, `14: OS_AUTH_URL uses $_keystone_ip, ${made} (line 11). ${literally("OS_AUTH_URL")}`)
  assert.equal(OS_PASSWORD, `16: OS_PASSWORD uses $_password, ${made} (line 12). ${literally("OS_PASSWORD")}`)
  assert.equal(others.OS_USER_DOMAIN_NAME, "admin_domain")
})

test("names the line of the dashboard's file that reads the password, and takes the file when that is replaced", () => {
  const text = readFileSync(new URL("testdata/dashboard-v2.sh", import.meta.url), "utf8")
  const { OS_PASSWORD, OS_PASSWORD_INPUT: _, ...others } = read(text)
  assert.equal(OS_PASSWORD, terminal("OS_PASSWORD", 20))
  assert.deepEqual(others, {
    OS_AUTH_URL: "https://cloud.example.org:5000/v2.0",
    OS_TENANT_ID: "cafe",
    OS_TENANT_NAME: "usage of all",
    OS_USERNAME: "ann",
    OS_REGION_NAME: "north",
    OS_ENDPOINT_TYPE: "publicURL",
    OS_IDENTITY_API_VERSION: "2",
  })
  for (const line of ["OS_PASSWORD='s3$cret'", "OS_PASSWORD_INPUT='s3$cret'"])
    assert.equal(read(text.replace("read -sr OS_PASSWORD_INPUT", () => line)).OS_PASSWORD, "s3$cret")
})

test("names lines that read other files", () => {
  const { unseen } = parseOpenrc("OS_A=1\nsource other\n. ./third\neval $x\n", "rc")
  assert.deepEqual(unseen, [2, 3, 4])
})

const unended = "the quote or bracket that begins here does not end"
const unreadable = "is no shell syntax that can be read. Write NAME='value', a line for each variable"
const broken: readonly (readonly [what: string, text: string, message: string])[] = [
  ["a quote", "OS_A=1\nOS_B='SECRET\n\n", `rc:2: ${unended}`],
  ["a double quote", 'OS_B="SECRET $X\n\n', `rc:1: ${unended}`],
  ["a command", "OS_A=$(SECRET\n", `rc:1: ${unended}`],
  ["an if", "if [ x ]; then\nOS_A=SECRET\n", `rc:2: ${unreadable}`],
  ["a bracket", "OS_A=1\n) SECRET\n", `rc:2: ${unreadable}`],
]
for (const [what, text, message] of broken) {
  test(`refuses a file with ${what} that does not fit, without showing it`, () =>
    assert.throws(() => parseOpenrc(text, "rc"), { name: "ConfigurationError", message }))
}
