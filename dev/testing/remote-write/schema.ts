import protobuf from "protobufjs"

/**
 * Messages of remote write 1 and 2 and of remote read, in Prometheus' field numbers. Values are read as their bits, since
 * a stale marker is a NaN among others.
 */
const SCHEMA = `
syntax = "proto3";
message Label { string name = 1; string value = 2; }
message Sample { fixed64 value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
message Span { sint32 offset = 1; uint32 length = 2; }
message Histogram {
  uint64 count_int = 1; fixed64 count_float = 2; fixed64 sum = 3; sint32 schema = 4; fixed64 zero_threshold = 5;
  uint64 zero_count_int = 6; fixed64 zero_count_float = 7;
  repeated Span negative_spans = 8; repeated sint64 negative_deltas = 9; repeated fixed64 negative_counts = 10;
  repeated Span positive_spans = 11; repeated sint64 positive_deltas = 12; repeated fixed64 positive_counts = 13;
  int32 reset_hint = 14; int64 timestamp = 15; repeated fixed64 custom_values = 16; int64 start_timestamp = 17;
}
message V1Exemplar { repeated Label labels = 1; fixed64 value = 2; int64 timestamp = 3; }
message V1Series { repeated Label labels = 1; repeated Sample samples = 2; repeated V1Exemplar exemplars = 3; repeated Histogram histograms = 4; }
message V1Metadata { int32 type = 1; string family = 2; string help = 4; string unit = 5; }
message V1 { repeated V1Series timeseries = 1; repeated V1Metadata metadata = 3; }
message V2Exemplar { repeated uint32 labels_refs = 1; fixed64 value = 2; int64 timestamp = 3; }
message V2Metadata { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
message V2Series {
  repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3;
  repeated V2Exemplar exemplars = 4; V2Metadata metadata = 5; int64 created_timestamp = 6;
}
message V2 { repeated string symbols = 4; repeated V2Series timeseries = 5; }
message Matcher { int32 type = 1; string name = 2; string value = 3; }
message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated Matcher matchers = 3; }
message ReadRequest { repeated Query queries = 1; repeated int32 accepted_response_types = 2; }
message QueryResult { repeated V1Series timeseries = 1; }
message ReadResponse { repeated QueryResult results = 1; }
`

const { root } = protobuf.parse(SCHEMA)

const CONVERSION = { longs: String, defaults: true } as const

/** As JSON would have it: 64 bits as decimal digits. Only what {@link SCHEMA} names. */
export function decodeMessage(name: "V1" | "V2" | "ReadRequest" | "ReadResponse", bytes: Uint8Array): unknown {
  const type = root.lookupType(name)
  return type.toObject(type.decode(bytes), CONVERSION)
}

export function encodeMessage(name: "V1" | "V2" | "ReadRequest" | "ReadResponse", message: object): Buffer {
  const type = root.lookupType(name)
  return Buffer.from(type.encode(type.fromObject(message)).finish())
}

/** The bits of a double as a message of {@link SCHEMA} has them. */
export function bitsOf(value: number): string {
  const buffer = Buffer.alloc(8)
  buffer.writeDoubleLE(value)
  return buffer.readBigUInt64LE().toString()
}
