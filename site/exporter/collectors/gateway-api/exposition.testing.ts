/** Samples of a text exposition: `name{labels sorted, empty ones left out} value`, for comparisons. */
export function samplesOf(text: string, without: RegExp = /^$/): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [line]
      const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)]
        .filter(([, label = "", content]) => content !== "" && !without.test(label))
        .map(([pair]) => pair)
      return `${name}{${pairs.toSorted().join()}} ${value}`
    })
}
