/** As many selectors of this many characters, or a few more where that is too few. */
export const selectorsOf = (count: number, characters: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => {
    const text = `{__name__="cluster:metric_${index}:sum",container!="POD",container!="",x="`
    return `${text}${"y".repeat(Math.max(0, characters - text.length - 2))}"}`
  })

/** One expression of names, as long as that. */
export function longSelector(characters: number): string {
  const names: string[] = []
  for (let length = 14; length < characters - 30; length += (names.at(-1)?.length ?? 0) + 1) {
    names.push(`metric_${names.length}_total`)
  }
  const text = `{__name__=~"${names.join("|")}`
  return `${text}|${"z".repeat(characters - text.length - 3)}"}`
}
