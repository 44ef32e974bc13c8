package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Pare;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatusTest {
    @Test
    void statusSaysWhatIsUsedAndThatItComputesRight() {
        Pare.Status status = Pare.status();
        assertTrue(status.healthy() && status.error() < 1e-4, status.toString());
        assertEquals(Natives.enabled(), status.natives());
        assertTrue(status.toString().contains("kernels=" + status.kernels()), status.toString());
        try (Region region = Region.shared("status")) {
            region.allocate(3L << 20);
            Pare.Status later = Pare.status();
            assertEquals(status.liveRegions() + 1, later.liveRegions());
            assertTrue(later.liveBytes() >= status.liveBytes() + (3L << 20), later.toString());
        }
    }

    @Test
    void doctorPrintsTheSame() {
        StringWriter out = new StringWriter();
        Commands.line().setOut(new PrintWriter(out)).execute("doctor", "--threads", "1");
        List<String> printed = out.toString().lines().toList();
        List<String> status = Pare.status().toString().lines().toList();
        assertEquals(status.size() + 1, printed.size());
        assertEquals(status.stream().filter(line -> !line.startsWith("memory")).toList(),
                printed.subList(0, status.size()).stream().filter(line -> !line.startsWith("memory")).toList());
        assertTrue(printed.getLast().startsWith("speed"), printed.getLast());
    }
}
