package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An array job in a Slurm of one node that this test starts and ends: Debian's slurmctld, slurmd, slurm-client and munge,
 * as root.
 */
@Tag("process")
@Tag("long")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SlurmTest {
    private static final List<String> PROGRAMS =
            List.of("/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/sbatch");

    @TempDir
    Path folder;

    private final List<Process> daemons = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Process daemon : daemons.reversed()) {
            daemon.destroy();
            daemon.waitFor();
        }
    }

    private ProcessBuilder builder(String... words) {
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("daemons.log").toFile()));
        builder.environment().put("SLURM_CONF", folder.resolve("slurm.conf").toString());
        return builder;
    }

    private static int port() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private void start() throws Exception {
        Path key = Files.write(folder.resolve("munge.key"), new byte[1024]);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("r--------"));
        String socket = folder.resolve("munge.socket").toString();
        String host = InetAddress.getLocalHost().getHostName();
        Files.writeString(folder.resolve("slurm.conf"), """
                ClusterName=test
                SlurmctldHost=%1$s
                SlurmctldPort=%2$d
                SlurmdPort=%3$d
                SlurmUser=root
                SlurmdUser=root
                AuthType=auth/munge
                AuthInfo=socket=%4$s
                StateSaveLocation=%5$s/state
                SlurmdSpoolDir=%5$s/spool
                SlurmctldPidFile=%5$s/controller.pid
                SlurmdPidFile=%5$s/node.pid
                ProctrackType=proctrack/linuxproc
                TaskPlugin=task/none
                SelectType=select/cons_tres
                SelectTypeParameters=CR_Core
                MpiDefault=none
                NodeName=%1$s CPUs=%6$d
                PartitionName=all Nodes=ALL Default=YES State=UP
                """.formatted(host, port(), port(), socket, folder, Runtime.getRuntime().availableProcessors()));
        Files.createDirectory(folder.resolve("state"));
        Files.createDirectory(folder.resolve("spool"));
        daemons.add(builder("/usr/sbin/munged", "--foreground", "--force", "--key-file=" + key, "--socket=" + socket,
                "--pid-file=" + folder.resolve("munge.pid"), "--seed-file=" + folder.resolve("munge.seed"),
                "--log-file=" + folder.resolve("munge.log")).start());
        await("munge", () -> Files.exists(Path.of(socket)));
        daemons.add(builder("/usr/sbin/slurmctld", "-D").start());
        daemons.add(builder("/usr/sbin/slurmd", "-D").start());
        await("Slurm",
                () -> builder("sh", "-c", "sinfo --noheader --format=%t | grep -q '^idle$'").start().waitFor() == 0);
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private void await(String what, Condition condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end,
                    what + " does not start: " + Files.readString(folder.resolve("daemons.log")));
            Thread.onSpinWait();
        }
    }

    @Test
    void anArrayJobRunsAllRuns() throws Exception {
        assumeTrue(PROGRAMS.stream().allMatch(program -> Files.isExecutable(Path.of(program))),
                "no Slurm on this machine");
        assumeTrue(System.getProperty("user.name").equals("root"), "Slurm is started as root");
        start();
        Path file = Files.writeString(folder.resolve("s.yaml"), """
                command: train lenet300
                options: {data: synthetic, images: 120, batch-size: 20, epochs: 2}
                list: [{seed: 1}, {seed: 2}, {seed: 3, lr: 500}]
                """);
        Path out = folder.resolve("out");
        Path script = folder.resolve("job.sh");
        Jvm jvm = Jvm.plain("-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dpare.native=off", "-Dpare.kernels=scalar");
        Jvm.Result written = jvm.run("sweep", file.toString(), "--out", out.toString(), "--threads", "1", "--slurm",
                script.toString());
        assertEquals(Commands.OK, written.exit(), written.err());
        // The exit code is the largest of the tasks.
        assertEquals(Commands.USAGE, builder("sbatch", "--wait", script.toString()).start().waitFor(),
                this::daemonsLog);
        assertEquals(Commands.FAILURE, jvm.run("sweep", file.toString(), "--out", out.toString(), "--gather").exit());
        assertEquals(List.of("done", "done", "failed"),
                new ObjectMapper().readTree(out.resolve("table.json").toFile()).findValuesAsText("state"));
    }

    private String daemonsLog() {
        try {
            return Files.readString(folder.resolve("daemons.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
