// SPDX-License-Identifier: Apache-2.0

/// What etcd 3.4.23 answered, word for word.
enum Recorded {
    static let range = """
        {"header":{"cluster_id":"14841639068965178418","member_id":"10276657743932975437","revision":"5","raft_term":"2"},\
        "kvs":[{"key":"L2E=","create_revision":"2","mod_revision":"3","version":"2","value":"djI="},\
        {"key":"L2I=","create_revision":"4","mod_revision":"4","version":"1","value":"AP8=",\
        "lease":"7587869134839537413"}],"more":true,"count":"3"}
        """
    static let emptyRange = #"{"header":{"cluster_id":"1","member_id":"2","revision":"1","raft_term":"2"}}"#
    static let watchCreated = #"{"result":{"header":{"cluster_id":"1","revision":"9","raft_term":"2"},"created":true}}"#
    static let watchEvents = """
        {"result":{"header":{"cluster_id":"1","member_id":"2","revision":"11","raft_term":"2"},"events":[\
        {"kv":{"key":"L2E=","create_revision":"10","mod_revision":"10","version":"1","value":"djE="}},\
        {"type":"DELETE","kv":{"key":"L2E=","mod_revision":"11"}}]}}
        """
    static let watchCompacted =
        #"{"result":{"header":{"revision":"20"},"canceled":true,"compact_revision":"15"}}"#
    static let streamError =
        #"{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}"#
    static let keepAlive = """
        {"result":{"header":{"revision":"5"},"ID":"77","TTL":"30"}}
        {"result":{"header":{"revision":"5"},"ID":"78"}}

        """
    static let transaction = """
        {"header":{"cluster_id":"1","revision":"6","raft_term":"2"},"succeeded":true,"responses":[\
        {"response_put":{"header":{"revision":"6"}}},{"response_range":{"header":{"revision":"6"},"kvs":[\
        {"key":"L3Q=","create_revision":"6","mod_revision":"6","version":"1","value":"bWluZQ=="}],"count":"1"}}]}
        """
    static let refusal =
        #"{"error":"etcdserver: requested lease not found","message":"etcdserver: requested lease not found","code":5}"#
}
