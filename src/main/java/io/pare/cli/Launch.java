package io.pare.cli;

import java.io.File;
import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Starts the command line in a JVM that has the incubator module.
 *
 * <p>No manifest entry can add {@code jdk.incubator.vector}, so the JVM that {@code java -jar} starts may lack it. Then
 * this class starts a second one with the same options, streams and arguments, waits for it, and passes signals and the
 * exit code on. The child watches its parent: when the parent is killed outright, the child leaves in an orderly way.
 * Where the locale has ASCII only, the child gets one that reads all names.
 */
public final class Launch {
    /** Set in the child to the parent's process id. */
    static final String PARENT = "pare.parent";

    /** In the environment of a process that MPICH's launcher started: the number of an open file. */
    private static final String HYDRA = "PMI_FD";
    private static final String MODULE = "jdk.incubator.vector";
    private static final Set<String> PLAIN = Set.of("--help", "-h", "--version", "-V");
    private static final Set<String> HELP = Set.of("--help", "-h", HelpCommand.NAME);
    private static final Set<String> VERSION = Set.of("--version", "-V");
    /** Commands that tell of the command line only. */
    private static final Set<String> ASKING = Set.of(HelpCommand.NAME, CompletionCommand.NAME);
    private static final long WATCH_MILLIS = 200;
    private static final long LEAVE_MILLIS = 20_000;

    private Launch() {}

    /** Runs the command line and ends the JVM with its exit code. */
    public static void main(String[] args) throws Exception {
        if (args.length == 0 || args.length == 1 && HELP.contains(args[0])) {
            System.exit(show(Overview.text(Colours.wanted())));
        }
        if (args.length == 1 && VERSION.contains(args[0])) {
            System.exit(show(String.join("\n", new Version().getVersion()) + "\n"));
        }
        String parent = System.getProperty(PARENT);
        if (parent != null) {
            watch(Long.parseLong(parent));
            args = Locales.arguments(Long.parseLong(parent), args);
        }
        if (ModuleLayer.boot().findModule(MODULE).isPresent() || computesNothing(args)) {
            System.exit(Commands.run(args));
        }
        if (parent != null) {
            System.err.println(
                    "pare: the module " + MODULE + " is missing from this JVM (" + System.getProperty("java.home")
                            + ") although it was asked for: use a full JDK 25, not a trimmed run-time image");
            System.exit(Commands.FAILURE);
        }
        System.exit(relaunch(args));
    }

    /** Answers without the command line's parser, which takes most of the time that such an answer would take. */
    private static int show(String text) {
        TerminalWriter out = TerminalWriter.of(FileDescriptor.out, System.out.charset());
        out.control(text);
        return out.exit(Commands.OK, TerminalWriter.of(FileDescriptor.err, System.err.charset()));
    }

    /** Whether help or version is all that is asked for, which needs no kernels and should come at once. */
    static boolean computesNothing(String[] args) {
        return args.length == 0 || ASKING.contains(args[0]) || List.of(args).stream().anyMatch(PLAIN::contains);
    }

    private static int relaunch(String[] args) throws InterruptedException {
        if (System.getenv(HYDRA) != null) {
            System.err.println("pare: the launcher speaks to this JVM through a file that a second JVM would not have;"
                    + " set JDK_JAVA_OPTIONS=--add-modules=" + MODULE + ", then one JVM does");
            return Commands.FAILURE;
        }
        Optional<ClassArchive> archive = ClassArchive.of(options(), classPath(), args);
        List<String> more = new ArrayList<>(archive.map(ClassArchive::options).orElse(List.of()));
        more.add(parentOption());
        Process child;
        try {
            ProcessBuilder builder = new ProcessBuilder(command(more, args)).inheritIO();
            if (Locales.knowsOnlyAscii()) {
                builder.environment().put("LC_ALL", "C.UTF-8");
            }
            child = builder.start();
        } catch (IOException e) {
            System.err.println("pare: cannot start a second JVM with --add-modules " + MODULE + " (" + e.getMessage()
                    + "); pass that option yourself, then one JVM does");
            return Commands.FAILURE;
        }
        // A terminal's Ctrl-C reaches the child by itself; a signal sent to this process alone does not.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (child.isAlive()) {
                child.destroy();
                try {
                    child.waitFor();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }));
        int exit = child.waitFor();
        archive.ifPresent(made -> made.keep(exit == Commands.OK));
        return exit;
    }

    /** Starts a JVM with the incubator module that ends when this one does. */
    static List<String> command(String... args) {
        return command(List.of(parentOption()), args);
    }

    /** Starts a JVM with the incubator module in any folder, at any time. */
    static List<String> independentCommand(String... args) {
        return command(List.of(), args);
    }

    private static String parentOption() {
        return "-D" + PARENT + "=" + ProcessHandle.current().pid();
    }

    /** The options of this JVM. */
    private static List<String> options() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-D" + PARENT + "=")).toList();
    }

    private static String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static List<String> command(List<String> more, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options());
        command.add("--add-modules=" + MODULE);
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(more);
        command.add("-cp");
        command.add(classPath());
        command.add("io.pare.Main");
        command.addAll(List.of(args));
        return command;
    }

    /** Leaves this JVM, through its shutdown hooks, once process {@code parent} is no longer its parent. */
    private static void watch(long parent) {
        Thread watcher = new Thread(() -> {
            try {
                while (ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(-1L) == parent) {
                    Thread.sleep(WATCH_MILLIS);
                }
                Thread leaving = new Thread(() -> System.exit(Commands.KILLED), "pare-leave");
                leaving.setDaemon(true);
                leaving.start();
                Thread.sleep(LEAVE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            Runtime.getRuntime().halt(Commands.KILLED);
        }, "pare-watch-parent");
        watcher.setDaemon(true);
        watcher.start();
    }
}
