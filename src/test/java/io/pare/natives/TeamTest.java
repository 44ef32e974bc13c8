package io.pare.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TeamTest {
    @Test
    void doesEachShareOnceInEveryRun() {
        for (int shares : new int[]{1, 2, 3, 17}) {
            AtomicIntegerArray done = new AtomicIntegerArray(shares);
            try (Team team = new Team(shares, (share, of) -> {
                assertEquals(done.length(), of);
                done.incrementAndGet(share);
            })) {
                for (int run = 1; run <= 100; run++) {
                    team.run();
                    for (int share = 0; share < shares; share++) {
                        assertEquals(run, done.get(share), "share " + share + " of " + shares);
                    }
                }
            }
        }
    }

    @Test
    @Tag("native")
    void takesPartWithAsManyThreads() {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        try (Team team = new Team(3, (share, shares) -> threads.add(Thread.currentThread()))) {
            team.run();
        }
        assertEquals(3, threads.size(), threads.toString());
    }

    @Test
    void throwsWhatAShareHasThrown() {
        for (int bad = 0; bad < 3; bad++) {
            int which = bad;
            RuntimeException thrown = new IllegalArgumentException("share " + bad);
            try (Team team = new Team(3, (share, shares) -> {
                if (share == which) {
                    throw thrown;
                }
            })) {
                assertSame(thrown, assertThrows(IllegalArgumentException.class, team::run));
            }
        }
    }
}
