/** A content coding with its weight. */
const CODING = /^\s*([^\s;]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i

/** Whether the client accepts gzip (RFC 9110, 12.5.3). Without the header, which allows every coding, it may not know one. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  if (header === "gzip" || header === undefined) return header === "gzip" // what Prometheus sends
  let gzip: number | undefined
  let any = 0
  for (const item of [header].flat().join(",").split(",")) {
    const [, coding = "", weight = "1"] = CODING.exec(item) ?? []
    if (/^(?:x-)?gzip$/i.test(coding)) gzip = Math.max(gzip ?? 0, Number(weight))
    else if (coding === "*") any = Number(weight)
  }
  return (gzip ?? any) > 0
}
