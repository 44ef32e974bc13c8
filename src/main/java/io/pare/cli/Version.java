package io.pare.cli;

import io.pare.Pare;
import picocli.CommandLine.IVersionProvider;

/** The version of this build and of the JVM that runs it. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[]{"pare " + Pare.version() + " (commit " + Pare.commit() + ")",
            "JDK " + Runtime.version() + ", " + System.getProperty("java.vendor")};
    }
}
