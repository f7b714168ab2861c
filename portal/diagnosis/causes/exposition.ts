import { between, causes, type ErrorText, unquoted } from "./entry.ts"

const lineIn = (text: string) => {
  const line = between(text, 'while parsing: "') ?? between(text, 'parsing "', '"') ?? between(text, "label names: ")
  return { excerpt: line === undefined ? undefined : unquoted(line.replace(/"$/, "")).trim() }
}
const broken = (start: string): ErrorText => ({ has: [start], rank: "start", take: lineIn })
const typeIn = (text: string) => ({ type: between(text, 'Content-Type "', '"') })

/** Media types of what is no exposition of metrics, whatever is in it. */
const OTHER_TYPES = ["text/html", "text/css", "text/xml", "text/javascript", "application/json", "application/xhtml"]

/** What the response holds. From Prometheus 2.53 on its texts quote the line, 3.x goes by Content-Type first. */
export const EXPOSITION = causes({
  not_metrics: {
    title: "not metrics",
    sentence: "The site responds with {type|something else}, not with metrics.",
    todo: "A login page, an error page or another service responds: look at it with curl, and check url in sites.yaml[, line {line}].",
    todoAtSite: "A login page, an error page or another service responds: look at it with curl, and check the url.",
    stage: "exposition",
    vague: true, // 2.42 reports every broken line like this
    beyondProbe: true,
    texts: [
      { has: ['"INVALID" is not a valid start token'] },
      { has: ['expected a valid start token, got "<"'], take: () => ({ type: "HTML or XML" }) },
      { has: ['expected a valid start token, got "{"'], take: () => ({ type: "JSON" }) },
      { has: ['expected a valid start token, got "["'], take: () => ({ type: "JSON" }) },
      { has: ["expected equal, got ", 'while parsing: "{\\"'], take: () => ({ type: "JSON" }) },
      { has: ["expected label name, got ", 'while parsing: "{\\n'], take: () => ({ type: "JSON" }) },
      ...["received unsupported", "cannot parse"].flatMap((start) =>
        OTHER_TYPES.map((type) => ({ has: [`${start} Content-Type "${type}`], take: typeIn })),
      ),
    ],
    example: { type: "text/html; charset=utf-8", line: "12" },
  },
  no_type: {
    title: "no type of metrics",
    sentence: "The site's response is not declared as metrics[ (Content-Type {type})].",
    todo: "Prometheus 3 insists on it: ask the site's admin to let Content-Type through; fedstack proxy does.",
    todoAtSite: "Let Content-Type through, on which Prometheus 3 insists; fedstack proxy does.",
    stage: "exposition",
    beyondProbe: true,
    texts: [
      { has: ["received unsupported Content-Type"], take: typeIn },
      { has: ["cannot parse Content-Type"], take: typeIn },
      { has: ["sending blank Content-Type"] },
      { has: ["no fallback_scrape_protocol"], rank: "last" },
    ],
    example: { type: "application/octet-stream" },
  },
  broken_encoding: {
    title: "cannot be decompressed",
    sentence: "The response cannot be decompressed[ ({encoding})].",
    todo: "Something between the site's proxy and the portal changes the compression: ask the site's admin about their load balancer.",
    todoAtSite: "Something before your proxy changes the compression: look at your load balancer.",
    stage: "response",
    beyondProbe: true,
    texts: [
      { has: ["gzip: "], take: () => ({ encoding: "gzip" }) },
      { has: ["flate: "], take: () => ({ encoding: "deflate" }) },
      { has: ["zstd: "], take: () => ({ encoding: "zstd" }) },
      // bytes of a compressed response in the place of a value
      { has: ['strconv.ParseFloat: parsing "\\x'] },
    ],
    example: { encoding: "gzip" },
  },
  bad_labels: {
    title: "label name twice",
    sentence: "A series has two labels of the same name[, {label}].",
    todo: "Ask the site's admin which exporter exposes it, and to correct or drop it.",
    todoAtSite: "Find the exporter that exposes it, and correct or drop it.",
    stage: "exposition",
    beyondProbe: true,
    texts: [
      { has: ["label name ", " is not unique"], take: (text) => ({ label: between(text, 'label name "', '"') }) },
    ],
    example: { label: "type" },
  },
  broken: {
    title: "invalid metrics",
    sentence: "{at|A line} of the response is no valid metric[: {excerpt}].",
    todo: "Ask the site's admin which exporter exposes {metric|it}, and to correct or drop it: one invalid line makes the whole scrape fail.",
    todoAtSite:
      "Find the exporter that exposes {metric|it}, and correct or drop it: one invalid line makes the whole scrape fail.",
    stage: "exposition",
    beyondProbe: true,
    texts: [
      broken("expected "),
      broken("unexpected "),
      broken("linebreak expected"),
      broken("metric name not set"),
      broken("metric name already set"),
      broken("missing metric name"),
      broken("empty labelset"),
      broken("invalid metric name"),
      broken("invalid metric type"),
      broken("unknown metric type"),
      broken("invalid help "),
      broken("help text "),
      broken('unit "'),
      broken('histogram "'),
      broken("invalid UTF-8"),
      broken("invalid label "),
      broken("invalid timestamp"),
      broken("invalid exemplar"),
      broken("invalid protobuf"),
      broken("unsupported character in float"),
      broken("data does not end with # EOF"),
      broken("append failed: "),
      broken("strconv."),
      broken("protobufparse: "),
      broken("clientpb: "),
      broken("proto: "),
      { has: ["while parsing: "], rank: "last", take: lineIn },
    ],
    derive: ({ line_no }): { readonly at?: string } => (line_no === undefined ? {} : { at: `Line ${line_no}` }),
    example: { line_no: "1,204", excerpt: 'up{job="a"}', metric: "up" },
  },
})
