/** Of the remote write protocol: 1 is `prometheus.WriteRequest`, 2 is `io.prometheus.write.v2.Request`. */
export type Version = 1 | 2
