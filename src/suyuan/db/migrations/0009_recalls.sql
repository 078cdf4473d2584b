-- Recalls are few among many events. One that names a product and no lot is found through them: what names the bare
-- product beside them is everybody's orders.
CREATE INDEX event_recall ON event (event_key) WHERE biz_step = 'urn:suyuan:bizstep:recalling'
    OR disposition IN ('https://ref.gs1.org/cbv/Disp-recalled', 'urn:suyuan:disp:recall_lifted');
