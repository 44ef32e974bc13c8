package io.pare.cli;

import java.util.Optional;
import picocli.CommandLine.IVersionProvider;

/** The version of this build and of the JVM that runs it. */
public final class Version implements IVersionProvider {
    /** The version from the jar's manifest, or "development" outside a jar. */
    public static String number() {
        return Optional.ofNullable(Version.class.getPackage().getImplementationVersion()).orElse("development");
    }

    @Override
    public String[] getVersion() {
        return new String[]{"pare " + number() + " (commit " + BuildInfo.commit() + ")",
            "JDK " + Runtime.version() + ", " + System.getProperty("java.vendor")};
    }
}
