package io.pare.cli;

import io.pare.Pare;
import picocli.CommandLine.IVersionProvider;

/** The version of this build and of the JVM that runs it. */
public final class Version implements IVersionProvider {
    /** The version from the jar's manifest, or "development" outside a jar. */
    public static String number() {
        return Pare.version();
    }

    @Override
    public String[] getVersion() {
        return new String[]{"pare " + number() + " (commit " + Pare.commit() + ")",
            "JDK " + Runtime.version() + ", " + System.getProperty("java.vendor")};
    }
}
