package io.pare;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Entry point of the runnable jar.
 *
 * <p>Compiled for Java 8 and tied to nothing: a JVM that is too old for the rest of Pare can still load this class and
 * say so in words. Everything else starts in {@code io.pare.cli.Launch}.
 */
public final class Main {
    private static final int NEEDED = 25;
    private static final int FAILURE = 1;
    /** How the user starts this program, for the commands that messages give; a launcher may have set it. */
    private static final String COMMAND = "pare.command";

    private Main() {}

    /**
     * Runs the command line, or tells which JDK is missing.
     *
     * @param args the command and its options
     * @throws Throwable what the command line failed with unexpectedly; a failure that it knows ends the JVM with its code
     */
    public static void main(String[] args) throws Throwable {
        String found = System.getProperty("java.specification.version");
        if (feature(found) < NEEDED) {
            System.err.println(tooOld(found, candidates(), args));
            System.exit(FAILURE);
        }
        if (System.getProperty(COMMAND) == null) {
            System.setProperty(COMMAND, "java -jar " + jar());
        }
        try {
            Class.forName("io.pare.cli.Launch").getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** The feature number of a specification version: 8 for "1.8", 17 for "17"; 0 for what cannot be read. */
    static int feature(String version) {
        try {
            return Integer.parseInt(version.startsWith("1.") ? version.substring(2) : version);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** The line that a JVM of version {@code found} prints, with a command that works if one of the JDKs exists. */
    static String tooOld(String found, File[] jdks, String[] args) {
        String line = "pare needs JDK " + NEEDED + " or newer, this is Java " + found + " ("
                + System.getProperty("java.home") + "). ";
        for (File jdk : jdks) {
            File java = new File(jdk, File.separatorChar == '\\' ? "bin\\java.exe" : "bin/java");
            if (java.isFile()) {
                StringBuilder command = new StringBuilder(quoted(java.getPath())).append(" -jar ").append(jar());
                for (String arg : args) {
                    command.append(' ').append(quoted(arg));
                }
                return line + "One is installed, run: " + command;
            }
        }
        return line + "Install one (for example Temurin " + NEEDED
                + "), or set JAVA25_HOME to where it lies and run: \"$JAVA25_HOME/bin/java\" -jar " + jar();
    }

    /** Folders that may hold a new enough JDK: JAVA25_HOME first, then what lies in the usual places by name. */
    private static File[] candidates() {
        String[] roots = {"/usr/lib/jvm", "/Library/Java/JavaVirtualMachines", "C:\\Program Files\\Java",
            "C:\\Program Files\\Eclipse Adoptium"};
        List<File> found = new ArrayList<File>();
        String named = System.getenv("JAVA25_HOME");
        if (named != null) {
            found.add(new File(named));
        }
        for (String root : roots) {
            File[] jdks = new File(root).listFiles();
            if (jdks == null) {
                continue;
            }
            Arrays.sort(jdks);
            for (File jdk : jdks) {
                File home = new File(jdk, "Contents/Home");
                if (leadingNumber(jdk.getName()) >= NEEDED) {
                    found.add(home.isDirectory() ? home : jdk);
                }
            }
        }
        return found.toArray(new File[0]);
    }

    /** The first number in a folder's name: 25 for "temurin-25-jdk-amd64" and "jdk-25.0.3"; 0 without one. */
    static int leadingNumber(String name) {
        String digits = name.replaceFirst("^\\D*", "").replaceFirst("\\D.*$", "");
        return digits.isEmpty() || digits.length() > 3 ? 0 : Integer.parseInt(digits);
    }

    private static String jar() {
        String path = System.getProperty("java.class.path");
        return path.indexOf(File.pathSeparatorChar) >= 0 || path.isEmpty() ? "target/engine.jar" : quoted(path);
    }

    private static String quoted(String arg) {
        return arg.matches("[\\w./:=,+@%-]+") ? arg : "'" + arg.replace("'", "'\\''") + "'";
    }
}
