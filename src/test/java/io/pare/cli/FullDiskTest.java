package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs on a disk that fills: they end with a line that says so, leave what was good, and go on to the same bits when
 * there is room again.
 *
 * <p>The short form bounds the size of a file, which a shell can do. The long form mounts small file systems, for which
 * one has to be root.
 */
@Tag("process")
@Timeout(value = 1, unit = TimeUnit.HOURS)
class FullDiskTest {
    private static final int SIZES = 20;

    @TempDir
    Path folder;

    @Test
    void aTrainingThatCannotWriteEndsWithOneLineAndGoesOnLater() throws Exception {
        boundFiles(RunJob.train(folder));
    }

    @Test
    void aCompressionThatCannotWriteEndsWithOneLineAndGoesOnLater() throws Exception {
        boundFiles(RunJob.compress(folder));
    }

    private void boundFiles(RunJob job) throws Exception {
        Path out = folder.resolve("bounded");
        Jvm.Result result = job.run(out, "ulimit -f 1500");
        RunJob.assertOneLine(result, job.toString());
        assertTrue(result.err().contains("a file may not be so large there"), result.err());
        RunJob.assertNoHalfFile(out, job.toString());
        job.finish(out, job + " after files were bounded");
    }

    @Test
    @Tag("long")
    void trainingsOnDisksOfManySizesGoOnWhenThereIsRoom() throws Exception {
        fillDisks(RunJob.train(folder));
    }

    @Test
    @Tag("long")
    void compressionsOnDisksOfManySizesGoOnWhenThereIsRoom() throws Exception {
        fillDisks(RunJob.compress(folder));
    }

    private void fillDisks(RunJob job) throws Exception {
        long needed = size(job.undisturbed());
        int failed = 0;
        for (int i = 1; i <= SIZES; i++) {
            // The last sizes hold all but the largest file's second copy, or everything.
            long bytes = 2 * needed * i / SIZES;
            Path disk = Files.createDirectory(folder.resolve(job + "-disk-" + i));
            assumeTrue(shell("mount", "-t", "tmpfs", "-o", "size=" + bytes, "none", disk.toString()) == 0,
                    "file systems cannot be mounted here");
            try {
                Path out = disk.resolve("out");
                String what = job + " on a disk of " + bytes + " bytes";
                Jvm.Result result = job.run(out, "");
                if (result.exit() == Commands.OK) {
                    job.finish(out, what);
                    continue;
                }
                failed++;
                RunJob.assertOneLine(result, what);
                assertTrue(result.err().contains("the disk is full"), result.err());
                RunJob.assertNoHalfFile(out, what);
                assertEquals(0, shell("mount", "-o", "remount,size=" + 4 * needed, disk.toString()));
                job.finish(out, what);
            } finally {
                shell("umount", disk.toString());
            }
        }
        assertTrue(failed > SIZES / 4, failed + " disks were too small");
        System.out.printf("%s: %d of %d disks too small, all with the same bits after there was room%n", job, failed,
                SIZES);
    }

    private static long size(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            long bytes = 0;
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
            return bytes;
        }
    }

    private static int shell(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start().waitFor();
    }
}
