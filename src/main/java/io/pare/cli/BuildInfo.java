package io.pare.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** What the build wrote down about itself. */
final class BuildInfo {
    private BuildInfo() {}

    /** The commit that was built, with "-dirty" where the tree had changes; "unknown" without git. */
    static String commit() {
        Properties build = new Properties();
        try (InputStream in = BuildInfo.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                build.load(in);
            }
        } catch (IOException e) {
            return "unknown";
        }
        String commit = build.getProperty("commit", "");
        return commit.isBlank() || commit.startsWith("$") ? "unknown" : commit;
    }
}
