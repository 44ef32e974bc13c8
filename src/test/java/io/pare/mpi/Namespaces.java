package io.pare.mpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * Two machines on one: network namespaces that a pair of virtual devices joins, whose rate a token bucket bounds in both
 * directions. It needs root and the tools of Debian's {@code iproute2}. Closing takes all of it away.
 */
public final class Namespaces implements AutoCloseable {
    private static final String NETWORK = "10.77.13.";

    private final String here;
    private final String there;
    private final Path agent;

    private Namespaces(String here, String there, Path agent) {
        this.here = here;
        this.there = there;
        this.agent = agent;
    }

    /**
     * Joins two new namespaces; skips the test, with a line, where that cannot be.
     *
     * @param folder for a script
     * @param rate in words of {@code tc}, such as {@code 100mbit}
     */
    public static Namespaces joined(Path folder, String rate) throws IOException, InterruptedException {
        assumeTrue(Mpirun.onPath("ip") && Mpirun.onPath("tc"), "no ip and tc on the PATH: install iproute2");
        String own = "pare" + ProcessHandle.current().pid() % 100_000;
        String here = own + "a";
        String there = own + "b";
        assumeTrue(run(List.of("ip", "netns", "add", here)) == 0, "no network namespace can be made: that takes root");
        // What stands in for ssh: Open MPI gives it the name of a host and a command.
        Path agent = Files.writeString(folder.resolve("agent"), "#!/bin/sh\nshift\nexec ip netns exec " + there
                + " unshare -u sh -c \"hostname " + there + "; $*\"\n");
        Files.setPosixFilePermissions(agent, PosixFilePermissions.fromString("rwx------"));
        Namespaces made = new Namespaces(here, there, agent);
        try {
            need("ip", "netns", "add", there);
            need("ip", "link", "add", here, "netns", here, "type", "veth", "peer", "name", there, "netns", there);
            int number = 1;
            for (String each : List.of(here, there)) {
                need("ip", "-n", each, "addr", "add", NETWORK + number++ + "/24", "dev", each);
                need("ip", "-n", each, "link", "set", "lo", "up");
                need("ip", "-n", each, "link", "set", each, "up");
                need("tc", "-n", each, "qdisc", "add", "dev", each, "root", "tbf", "rate", rate, "burst", "32kbit",
                        "latency", "400ms");
            }
            return made;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            made.close();
            throw e;
        }
    }

    /** What starts a program in a process in each of both, without the program. */
    public List<String> launcher() {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", here));
        command.addAll(Mpirun.launcher());
        command.addAll(List.of("--mca", "plm_rsh_agent", agent.toString(), "--host", NETWORK + "1:1," + NETWORK + "2:1",
                "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", NETWORK + "0/24", "--mca",
                "oob_tcp_if_include", NETWORK + "0/24", "-n", "2"));
        return command;
    }

    private static void need(String... command) throws IOException, InterruptedException {
        assertEquals(0, run(List.of(command)), String.join(" ", command));
    }

    private static int run(List<String> command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start().waitFor();
    }

    @Override
    public void close() throws IOException {
        try {
            run(List.of("ip", "netns", "del", here));
            run(List.of("ip", "netns", "del", there));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
