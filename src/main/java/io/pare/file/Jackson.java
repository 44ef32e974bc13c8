package io.pare.file;

/**
 * Whether Jackson is there, which reads and writes JSON and YAML. A program brings it where it needs it. Without it the JVM
 * would end in a {@link NoClassDefFoundError} that names a class and not the jar.
 *
 * <p>Any thread may call this.
 */
public final class Jackson {
    private static final boolean JSON = present("com.fasterxml.jackson.databind.ObjectMapper");
    private static final boolean YAML = present("com.fasterxml.jackson.dataformat.yaml.YAMLFactory");

    private Jackson() {}

    /**
     * To be asked before a class that reads or writes JSON is used.
     *
     * @param what needs it, in the plural
     * @throws IllegalStateException if it is missing, with the artifact to add
     */
    public static void needForJson(String what) {
        need(JSON, what, "com.fasterxml.jackson.core:jackson-databind", "com.fasterxml.jackson.databind");
    }

    /**
     * To be asked before a class that reads YAML is used.
     *
     * @param what needs it, in the plural
     * @throws IllegalStateException if it is missing, with the artifact to add
     */
    public static void needForYaml(String what) {
        need(JSON && YAML, what, "com.fasterxml.jackson.dataformat:jackson-dataformat-yaml",
                "com.fasterxml.jackson.databind,com.fasterxml.jackson.dataformat.yaml");
    }

    private static void need(boolean there, String what, String artifact, String modules) {
        if (!there) {
            throw new IllegalStateException(what + " need Jackson: add " + artifact
                    + " to the class path, or to the module path with --add-modules=" + modules);
        }
    }

    private static boolean present(String name) {
        try {
            Class.forName(name, false, Jackson.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
