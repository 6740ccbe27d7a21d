// SPDX-License-Identifier: Apache-2.0

/// The newest reading of the certificate files.
struct TLSFileCache {
    private var marks: [FileMark?] = []
    private var files: TLSFiles?

    /// Reads again only what looks different from last time: three `stat` calls otherwise.
    ///
    /// The look comes before the reading. A file that changes in between is then taken as changed next time, which
    /// costs a reading; the other way round a change could be missed.
    mutating func current(_ paths: CurlTLS) throws(TLSFileError) -> TLSFiles {
        let marks = [FileMark(paths.caFile), FileMark(paths.certFile), FileMark(paths.keyFile)]
        if marks == self.marks, let files { return files }
        let files = try TLSFiles(paths)
        self.marks = marks
        self.files = files
        return files
    }
}
